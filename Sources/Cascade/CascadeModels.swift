import Diagnostics
import Models

/// The models that answer, and the rule by which the teacher is asked. Replaced as a whole: a job keeps those it began
/// with.
public final class CascadeModels: Sendable {
    public let student: any LineClassifier
    /// The student's; see `Calibration`.
    public let temperature: Float
    public let teacher: TeacherSource?
    public let decider: LineDecider
    /// A candidate beside the student; nil: there is none.
    public let shadow: ShadowStudent?
    let labelMap: LabelMap?

    /// Refuses a pair whose label sets differ, and a rule that needs a teacher where there is none.
    public init(
        student: any LineClassifier, temperature: Float = 1, teacher: TeacherSource? = nil, decider: LineDecider,
        shadow: ShadowStudent? = nil
    ) throws(UnderstudyError) {
        guard temperature > 0, temperature.isFinite else {
            throw UnderstudyError(
                .invalidData, "the student's calibration has temperature \(temperature); it must be above 0")
        }
        guard decider.neverAsks || teacher != nil else {
            throw UnderstudyError(.usage, "lines can't be deferred without a teacher; name one, or defer below 0")
        }
        guard !student.labels.isEmpty else { throw UnderstudyError(.invalidData, "the student has no labels") }
        if let teacher {
            labelMap = try LabelMap(student: student.labels, teacher: teacher.labels)
        } else {
            labelMap = nil
        }
        self.student = student
        self.temperature = temperature
        self.teacher = teacher
        self.decider = decider
        self.shadow = shadow
    }
}
