/// `cascade:`
enum CascadeOptions {
    typealias Policy = CascadeSettings.Policy
    typealias WhenTeacherFull = CascadeSettings.WhenTeacherFull

    static let policy = DefaultedOption(
        "policy", .choice, default: Policy.confidence,
        "How the student's certainty is measured: the probability of its best label, that minus the second's, or one "
            + "minus the relative entropy. Thresholds are calibrated for `confidence`.")
    static let threshold = YAMLOption(
        "threshold", .share, absent: "the threshold that was calibrated into the student", example: "0.85",
        "The teacher is asked about lines with a lower certainty. 0: never, 1: about every line.")
    static let targetError = YAMLOption(
        "target_error", .share, absent: "no error is aimed at", example: "0.03",
        "Share of wrong answers to stay below; the threshold comes from the holdout by split conformal.")
    static let budgetShare = YAMLOption(
        "budget_share", .share, absent: "no budget", example: "0.1",
        "Share of lines that the teacher may see; the threshold follows.")
    static let budgetLinesPerSecond = YAMLOption(
        "budget_lines_per_second", .number(0...1_000_000), absent: "no budget", example: "20",
        "Lines in a second that the teacher may see; the threshold follows.")
    static let auditShare = DefaultedOption(
        "audit_share", .share, default: 0.01,
        "Share of the lines the student is sure of that the teacher sees as well. One in a hundred is enough to see "
            + "drift within a day and costs little; 0 turns it off.")
    static let threads = YAMLOption(
        "threads", .count(1...1024), absent: "as many as there are processors", example: "4",
        "Threads that run the student.")
    static let teacherThreads = DefaultedOption(
        "teacher_threads", .count(1...1024), default: 1,
        "Threads that run the teacher. One leaves the other processors to the student, which sees every line.")
    static let teacherQueueLines = DefaultedOption(
        "teacher_queue_lines", .count(1...1_048_576), default: 4096,
        "Lines that may wait for the teacher: some seconds of a burst, little memory.")
    static let whenTeacherFull = DefaultedOption(
        "when_teacher_full", .choice, default: WhenTeacherFull.block,
        "What happens to a line for the teacher when its queue is full or it is broken. `block` waits, so that no "
            + "answer is worse than promised; `answer_with_student` lets the student's stand, marked as such.")
    static let teacherTimeoutSeconds = DefaultedOption(
        "teacher_timeout_seconds", .count(1...86_400), default: 30,
        "Seconds that an answer may wait for the teacher with `answer_with_student`: far above a healthy teacher's, "
            + "still bearable for a reader.")
    static let teacherRetrySeconds = DefaultedOption(
        "teacher_retry_seconds", .count(1...60), default: 1,
        "Seconds before a broken teacher is first tried again; doubles with each failure, up to 60.")
    static let batchLines = DefaultedOption(
        "batch_lines", .count(1...65_536), default: 256,
        "The most lines of a student pass: enough to sort by length, few enough to answer soon.")
    static let batchWaitMilliseconds = DefaultedOption(
        "batch_wait_milliseconds", .count(0...60_000), default: 5,
        "The longest, in milliseconds, that a part-filled teacher pass waits for more lines: small beside the pass.")

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
        "When the teacher is asked, and how the work is cut up.")
}
