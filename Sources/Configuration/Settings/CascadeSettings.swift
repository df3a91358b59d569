import Cascade

/// When lines are deferred to the teacher, and how work is batched.
public struct CascadeSettings: SettingsBlock {
    public var policy: DeferralPolicy.Measure = .confidence
    public var threshold = ThresholdPolicy.calibrated
    /// Share of the lines above the threshold that are audited by the teacher, 0 … 1.
    public var auditShare = 0.01
    /// Threads that run the student; nil: one per processor.
    public var threads: Int?
    public var teacherThreads = 1
    public var teacherQueueLines = 4096
    public var whenTeacherFull = CascadeOptions.WhenTeacherFull.block
    /// Maximum wait of an answer for the teacher under `answerWithStudent`.
    public var teacherTimeoutSeconds = 30
    /// First retry pause of the circuit breaker; it doubles up to 60 seconds.
    public var teacherRetrySeconds = 1
    public var batchLines = 256
    /// Maximum wait of a partly filled teacher batch for more lines.
    public var batchWaitMilliseconds = 5

    public init() {}

    package static let block = Block<CascadeSettings>(
        "cascade", "When lines are deferred to the teacher, and how work is batched.",
        alternatives: ["threshold", "target_error", "budget_share", "budget_lines_per_second"],
        restart: "threads, queues, batches and the handling of a full or failing teacher change"
    ) {
        BlockOption(
            "policy", .choice, at: \.policy, reload: .models,
            "Measure of the student's certainty: the probability of its best label (`confidence`), that minus the "
                + "second's (`margin`), or one minus the normalised entropy (`entropy`). Thresholds are calibrated for "
                + "`confidence`.")
        BlockOption(
            "threshold", .share, at: \.threshold.fixed, absent: "the calibrated threshold stored with the student",
            example: "0.85", reload: .models,
            "Lines with a lower certainty are deferred to the teacher. 0 defers no line, 1 defers every line.")
        BlockOption(
            "target_error", .share, at: \.threshold.targetError, absent: "no target", example: "0.03", reload: .models,
            "Maximum share of wrong answers. The threshold is computed from the holdout by split conformal prediction.")
        BlockOption(
            "budget_share", .share, at: \.threshold.budgetShare, absent: "no budget", example: "0.1", reload: .models,
            "Maximum share of lines that are deferred to the teacher. The threshold is adjusted to it.")
        BlockOption(
            "budget_lines_per_second", .number(0...1_000_000, .linesPerSecond), at: \.threshold.budgetLinesPerSecond,
            absent: "no budget", example: "20", reload: .models,
            "Maximum number of lines per second that are deferred to the teacher. The threshold is adjusted to it.")
        BlockOption(
            "audit_share", .share, at: \.auditShare, reload: .models,
            "Share of the lines above the threshold that the teacher classifies as well, as an audit. 0.01 shows drift "
                + "within a day at little cost; 0 turns audits off.")
        BlockOption(
            "threads", .count(1...1024, .threads), at: \.threads, absent: "as many as there are processors",
            example: "4", reload: .restart,
            "Threads that run the student.")
        BlockOption(
            "teacher_threads", .count(1...1024, .threads), at: \.teacherThreads, reload: .restart,
            "Threads that run the teacher. With one, the other processors are left to the student, which classifies "
                + "every line.")
        BlockOption(
            "teacher_queue_lines", .count(1...1_048_576, .lines), at: \.teacherQueueLines, reload: .restart,
            "Maximum length of the teacher's queue, in lines. The default holds a burst of some seconds and takes little "
                + "memory.")
        BlockOption(
            "when_teacher_full", .choice, at: \.whenTeacherFull, reload: .restart,
            "Handling of a deferred line while the teacher's queue is full or the teacher fails. `block` waits, so that "
                + "no answer is worse than promised; `answer_with_student` emits the student's answer, marked as such.")
        BlockOption(
            "teacher_timeout_seconds", .count(1...86_400, .seconds), at: \.teacherTimeoutSeconds, reload: .restart,
            "Maximum wait for the teacher's answer with `answer_with_student`, in seconds. The default is far above the "
                + "time of a healthy teacher.")
        BlockOption(
            "teacher_retry_seconds", .count(1...60, .seconds), at: \.teacherRetrySeconds, reload: .restart,
            "Seconds until a failed teacher is first retried. The pause doubles with each further failure, up to 60 "
                + "seconds.")
        BlockOption(
            "batch_lines", .count(1...65_536, .lines), at: \.batchLines, reload: .restart,
            "Maximum batch size for the student, in lines. A larger batch sorts better by length; a smaller one answers "
                + "sooner.")
        BlockOption(
            "batch_wait_milliseconds", .count(0...60_000, .milliseconds), at: \.batchWaitMilliseconds, reload: .restart,
            "Maximum wait of a partly filled teacher batch for more lines, in milliseconds. The default is short "
                + "compared with the pass.")
    }
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

// Each of the four options sets its own case.
extension ThresholdPolicy {
    var fixed: Double? {
        get { if case .fixed(let threshold) = self { threshold } else { nil } }
        set { if let newValue { self = .fixed(newValue) } }
    }

    var targetError: Double? {
        get { if case .targetError(let error) = self { error } else { nil } }
        set { if let newValue { self = .targetError(newValue) } }
    }

    var budgetShare: Double? {
        get { if case .budgetShare(let share) = self { share } else { nil } }
        set { if let newValue { self = .budgetShare(newValue) } }
    }

    var budgetLinesPerSecond: Double? {
        get { if case .budgetLinesPerSecond(let rate) = self { rate } else { nil } }
        set { if let newValue { self = .budgetLinesPerSecond(newValue) } }
    }
}
