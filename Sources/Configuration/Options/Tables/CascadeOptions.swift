/// `cascade:`
enum CascadeOptions {
    typealias Policy = CascadeSettings.Policy
    typealias WhenTeacherFull = CascadeSettings.WhenTeacherFull

    static let policy = DefaultedOption(
        "policy", .choice, default: Policy.confidence,
        "Measure of the student's certainty: the probability of its best label (`confidence`), that minus the "
            + "second's (`margin`), or one minus the normalised entropy (`entropy`). Thresholds are calibrated for "
            + "`confidence`.")
    static let threshold = YAMLOption(
        "threshold", .share, absent: "the calibrated threshold stored with the student", example: "0.85",
        "Lines with a lower certainty are deferred to the teacher. 0 defers no line, 1 defers every line.")
    static let targetError = YAMLOption(
        "target_error", .share, absent: "no target", example: "0.03",
        "Maximum share of wrong answers. The threshold is computed from the holdout by split conformal prediction.")
    static let budgetShare = YAMLOption(
        "budget_share", .share, absent: "no budget", example: "0.1",
        "Maximum share of lines that are deferred to the teacher. The threshold is adjusted to it.")
    static let budgetLinesPerSecond = YAMLOption(
        "budget_lines_per_second", .number(0...1_000_000), absent: "no budget", example: "20",
        "Maximum number of lines per second that are deferred to the teacher. The threshold is adjusted to it.")
    static let auditShare = DefaultedOption(
        "audit_share", .share, default: 0.01,
        "Share of the lines above the threshold that the teacher classifies as well, as an audit. 0.01 shows drift "
            + "within a day at little cost; 0 turns audits off.")
    static let threads = YAMLOption(
        "threads", .count(1...1024), absent: "as many as there are processors", example: "4",
        "Threads that run the student.")
    static let teacherThreads = DefaultedOption(
        "teacher_threads", .count(1...1024), default: 1,
        "Threads that run the teacher. With one, the other processors are left to the student, which classifies "
            + "every line.")
    static let teacherQueueLines = DefaultedOption(
        "teacher_queue_lines", .count(1...1_048_576), default: 4096,
        "Maximum length of the teacher's queue, in lines. The default holds a burst of some seconds and takes little "
            + "memory.")
    static let whenTeacherFull = DefaultedOption(
        "when_teacher_full", .choice, default: WhenTeacherFull.block,
        "Handling of a deferred line while the teacher's queue is full or the teacher fails. `block` waits, so that "
            + "no answer is worse than promised; `answer_with_student` emits the student's answer, marked as such.")
    static let teacherTimeoutSeconds = DefaultedOption(
        "teacher_timeout_seconds", .count(1...86_400), default: 30,
        "Maximum wait for the teacher's answer with `answer_with_student`, in seconds. The default is far above the "
            + "time of a healthy teacher.")
    static let teacherRetrySeconds = DefaultedOption(
        "teacher_retry_seconds", .count(1...60), default: 1,
        "Seconds until a failed teacher is first retried. The pause doubles with each further failure, up to 60 "
            + "seconds.")
    static let batchLines = DefaultedOption(
        "batch_lines", .count(1...65_536), default: 256,
        "Maximum batch size for the student, in lines. A larger batch sorts better by length; a smaller one answers "
            + "sooner.")
    static let batchWaitMilliseconds = DefaultedOption(
        "batch_wait_milliseconds", .count(0...60_000), default: 5,
        "Maximum wait of a partly filled teacher batch for more lines, in milliseconds. The default is short "
            + "compared with the pass.")

    static let block = OptionBlock(
        "cascade",
        options: [
            policy.facts, threshold.facts, targetError.facts, budgetShare.facts, budgetLinesPerSecond.facts,
            auditShare.facts, threads.facts, teacherThreads.facts, teacherQueueLines.facts, whenTeacherFull.facts,
            teacherTimeoutSeconds.facts, teacherRetrySeconds.facts, batchLines.facts, batchWaitMilliseconds.facts,
        ],
        alternatives: [
            threshold.facts.name, targetError.facts.name, budgetShare.facts.name, budgetLinesPerSecond.facts.name,
        ],
        "When lines are deferred to the teacher, and how work is batched.")
}
