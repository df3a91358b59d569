import Diagnostics
import Models
import Streams

/// The student answers every line; the teacher is asked about the lines that the policy finds unsure.
///
/// Answers come in the order of the lines. A line that waits for the teacher holds back the answers behind it, but not
/// the reading, until the bounds of the options are reached.
///
/// If the teacher gives logits that aren't finite numbers, the student's answer stands and says so, with one warning.
/// If the teacher can't be loaded when the first line needs it, reading stops, the lines already read are answered by
/// the student and marked, and the run's outcome carries the error.
public final class Cascade: Sendable {
    public let student: any LineClassifier
    public let teacher: TeacherSource?
    public let policy: DeferralPolicy
    public let temperature: Float
    public let options: CascadeOptions
    let labelMap: LabelMap?
    let answerEncoder: AnswerEncoder
    let flawEncoder: FlawEncoder

    /// `temperature` is the student's (see `Calibration`). Refuses a pair whose label sets differ, a policy that needs
    /// a teacher where there is none, and options that can't be.
    public init(
        student: any LineClassifier, temperature: Float = 1, teacher: TeacherSource? = nil,
        policy: DeferralPolicy = .never, options: CascadeOptions = CascadeOptions()
    ) throws(UnderstudyError) {
        guard temperature > 0, temperature.isFinite else {
            throw UnderstudyError(
                .invalidData, "the student's calibration has temperature \(temperature); it must be above 0")
        }
        guard policy.neverAsks || teacher != nil else {
            throw UnderstudyError(.usage, "lines can't be deferred without a teacher; name one, or defer below 0")
        }
        guard !student.labels.isEmpty else { throw UnderstudyError(.invalidData, "the student has no labels") }
        guard options.threads > 0 else { throw UnderstudyError(.usage, "at least 1 thread is needed") }
        guard (1...LineFramer.greatestMaximumLineBytes).contains(options.maximumLineBytes) else {
            throw UnderstudyError(
                .usage, "the longest line must have from 1 to \(LineFramer.greatestMaximumLineBytes) bytes")
        }
        if let teacher {
            labelMap = try LabelMap(student: student.labels, teacher: teacher.labels)
        } else {
            labelMap = nil
        }
        self.student = student
        self.teacher = teacher
        self.policy = policy
        self.temperature = temperature
        self.options = options
        answerEncoder = AnswerEncoder(
            format: options.format, source: options.source, labels: student.labels, student: student.version,
            teacher: teacher?.version, includesLogits: options.includesLogits)
        flawEncoder = FlawEncoder(source: options.source, field: options.input.field)
    }

    /// Classifies `source` to its end, or until it is interrupted or nobody takes the answers.
    ///
    /// Error records of lines that can't be classified go to `diagnostics`. Reads on the calling thread; starts
    /// `options.threads` threads for the models and one that writes, and returns when all have ended.
    public func run(
        source: any ByteSource, answers: any ByteSink, diagnostics: any ByteSink
    ) throws(UnderstudyError) -> CascadeOutcome {
        try CascadeRun(self, source: source, answers: answers, diagnostics: diagnostics).start()
    }
}
