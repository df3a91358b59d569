/// When lines are deferred to the teacher, and how work is batched.
public struct CascadeSettings: Sendable, Equatable {
    /// The measure of the student's certainty.
    public enum Policy: String, Sendable, CaseIterable {
        /// Probability of the best label.
        case confidence
        /// The best label's probability minus the second's.
        case margin
        /// 1 − entropy / maximum entropy of the probabilities.
        case entropy
    }

    /// Handling of a deferred line while the teacher's queue is full or the teacher fails.
    public enum WhenTeacherFull: String, Sendable, CaseIterable {
        /// The line waits, and so do the lines after it.
        case block
        /// The student's answer is emitted, marked as such.
        case answerWithStudent = "answer_with_student"
    }

    public var policy: Policy
    public var threshold: ThresholdPolicy
    /// Share of the lines above the threshold that are audited by the teacher, 0 … 1.
    public var auditShare: Double
    /// Threads that run the student; nil: one per processor.
    public var threads: Int?
    public var teacherThreads: Int
    public var teacherQueueLines: Int
    public var whenTeacherFull: WhenTeacherFull
    /// Maximum wait of an answer for the teacher under `answerWithStudent`.
    public var teacherTimeoutSeconds: Int
    /// First retry pause of the circuit breaker; it doubles up to 60 seconds.
    public var teacherRetrySeconds: Int
    public var batchLines: Int
    /// Maximum wait of a partly filled teacher batch for more lines.
    public var batchWaitMilliseconds: Int
}

/// The origin of the deferral threshold.
public enum ThresholdPolicy: Sendable, Equatable {
    /// The threshold that was calibrated with the student and is stored with it.
    case calibrated
    /// 0 defers no line, 1 defers every line.
    case fixed(Double)
    /// Maximum share of wrong answers, 0 … 1. The threshold is computed from the holdout by split conformal prediction.
    case targetError(Double)
    /// Maximum share of deferred lines, 0 … 1. The threshold is adjusted to it.
    case budgetShare(Double)
    /// Maximum number of deferred lines per second. The threshold is adjusted to it.
    case budgetLinesPerSecond(Double)
}
