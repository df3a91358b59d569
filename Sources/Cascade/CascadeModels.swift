import Diagnostics
import Models

/// The models with the deferral rule. Replaced as a whole: a job keeps those that it started with.
public final class CascadeModels: Sendable {
    public let student: any LineClassifier
    /// The student's temperature; see `Calibration`.
    public let temperature: Float
    public let teacher: TeacherSource?
    public let decider: LineDecider
    /// The candidate in shadow mode; nil if there is none.
    public let shadow: ShadowStudent?
    let labelMap: LabelMap?

    /// Refuses models with different label sets, and a rule that needs a missing teacher.
    public init(
        student: any LineClassifier, temperature: Float = 1, teacher: TeacherSource? = nil, decider: LineDecider,
        shadow: ShadowStudent? = nil
    ) throws(UnderstudyError) {
        guard temperature > 0, temperature.isFinite else {
            throw UnderstudyError(
                .invalidData, "the student's calibration has temperature \(temperature); it must be above 0")
        }
        guard decider.neverAsks || teacher != nil else {
            throw UnderstudyError(
                .usage, "lines can't be deferred without a teacher; set a teacher, or a threshold of 0")
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

/// Reorders the teacher's logits into the student's label order.
public struct LabelMap: Sendable, Equatable {
    /// `positions[i]` is the teacher's index of the student's label `i`.
    public let positions: [Int]

    /// Refuses different label sets and names the labels that only one of them has. The order may differ.
    public init(student: [String], teacher: [String]) throws(UnderstudyError) {
        try Self.checkUnique(student, of: "student")
        try Self.checkUnique(teacher, of: "teacher")
        let onlyStudent = student.filter { !teacher.contains($0) }
        let onlyTeacher = teacher.filter { !student.contains($0) }
        guard onlyStudent.isEmpty, onlyTeacher.isEmpty else {
            var parts: [String] = []
            if !onlyStudent.isEmpty { parts.append("only the student has \(Self.list(onlyStudent))") }
            if !onlyTeacher.isEmpty { parts.append("only the teacher has \(Self.list(onlyTeacher))") }
            throw UnderstudyError(
                .invalidData, "teacher and student have different labels: " + parts.joined(separator: ", "))
        }
        positions = student.map { label in teacher.firstIndex(of: label) ?? 0 }
    }

    private static func checkUnique(_ labels: [String], of model: String) throws(UnderstudyError) {
        guard !labels.isEmpty else { throw UnderstudyError(.invalidData, "the \(model) has no labels") }
        guard Set(labels).count == labels.count else {
            throw UnderstudyError(.invalidData, "the \(model) has the same label twice: \(list(labels))")
        }
    }

    /// Lists a few names only, so that the error stays one sentence for thousands of labels.
    private static func list(_ labels: [String]) -> String {
        let shown = labels.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
        return labels.count > 8 ? "\(shown) and \(labels.count - 8) more" : shown
    }
}
