/// When the teacher is asked, and how the work is cut up.
public struct CascadeSettings: Sendable, Equatable {
    /// How the student's certainty is measured.
    public enum Policy: String, Sendable, CaseIterable {
        /// Probability of the best label.
        case confidence
        /// The best label's probability minus the second's.
        case margin
        /// 1 − entropy of the probabilities over its greatest value.
        case entropy
    }

    /// What happens to a line for the teacher when the teacher's queue is full or the teacher is broken.
    public enum WhenTeacherFull: String, Sendable, CaseIterable {
        /// It waits, and so do the lines behind it.
        case block
        /// The student's answer stands and is marked as such.
        case answerWithStudent = "answer_with_student"
    }

    public var policy: Policy
    public var threshold: ThresholdPolicy
    /// Share of confident lines that the teacher sees as well, 0 … 1.
    public var auditShare: Double
    /// Threads that run the student; nil: as many as there are processors.
    public var threads: Int?
    public var teacherThreads: Int
    public var teacherQueueLines: Int
    public var whenTeacherFull: WhenTeacherFull
    /// How long an answer may wait for the teacher under `answerWithStudent`.
    public var teacherTimeoutSeconds: Int
    /// First pause of the circuit breaker; doubles up to 60 seconds.
    public var teacherRetrySeconds: Int
    public var batchLines: Int
    /// The longest that a part-filled teacher batch waits for more lines.
    public var batchWaitMilliseconds: Int
}
