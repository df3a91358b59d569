import Streams

/// The sizes and forms of a cascade. Every default is stated here once.
public struct CascadeOptions: Sendable {
    /// What happens to a line that should go to the teacher when its queue is full or it doesn't work.
    public enum WhenTeacherFull: Sendable, Equatable {
        /// The line waits, and in time so does its source.
        case block
        /// The student's answer stands, and says that the teacher was skipped.
        case answerWithStudent
    }

    /// Of a filter's lines; a daemon's are in the options and routes of their lanes. `source` names the source in records
    /// and ids.
    public var source = "stdin"
    public var input = InputForm.line
    public var format = OutputFormat.jsonl
    public var includesLogits = false
    public var maximumLineBytes = LineFramer.defaultMaximumLineBytes
    /// Threads that run models; the student's only where there are `teacherThreads`. The readers and the writers are
    /// more, and mostly wait.
    public var threads = 1
    /// Threads that run the teacher and nothing else; 0: it is run by `threads`.
    public var teacherThreads = 0
    /// The most lines of a student job: enough for the student to sort by length, few enough to answer soon.
    public var studentLines = 256
    /// The most bytes of text of a student job, so that jobs of huge lines stay small.
    public var studentBytes = 262_144
    /// The most lines of a teacher pass: the teacher gains little beyond, and the lines behind wait.
    public var teacherLines = 32
    /// The fewest lines that are split among idle workers.
    public var studentGrain = 16
    /// Lines read ahead of the workers, for each source.
    public var pendingLines = 16_384
    /// Jobs in flight for each source: how far answers may run ahead of a line that waits for the teacher, in jobs.
    public var jobs = 64
    /// Lines of each source that may be read and not yet delivered; the reader waits at so many. What one read holds
    /// comes on top.
    public var linesAhead = Int.max
    /// The most bytes that one read takes, however much more there is and a block of memory has room for.
    public var readBytes = Int.max
    /// Blocks of memory that lines are read into for each source, and the size of each in bytes.
    public var chunks = 4
    public var chunkBytes = 1_048_576
    /// Lines that may wait for the teacher. The bound is looked at before a job is taken, so one job may overshoot it.
    public var teacherQueueLines = Int.max
    public var whenTeacherFull = WhenTeacherFull.block
    /// How long a line may wait for the teacher where the student can answer instead, in nanoseconds.
    public var teacherTimeout: UInt64 = 30_000_000_000
    /// The first pause after the teacher failed, in nanoseconds; see `TeacherCircuit`.
    public var teacherRetry: UInt64 = 1_000_000_000
    /// The longest that a part-filled pass of a teacher thread waits for more lines, in nanoseconds.
    public var teacherBatchWait: UInt64 = 0

    public init() {}

    /// Sets the bounds of a filter for its number of threads: how many lines an interrupted run has still to answer must
    /// not depend on how slow the teacher is.
    ///
    /// 8,192 lines let the student run ahead of several teacher passes at the usual deferral shares, and 2,048 lines
    /// that no worker has taken are eight jobs. Where the teacher is the slow one, its queue is the first bound to be
    /// reached, so that about half of the lines are under way then. A pipe gives 64 KiB at a time anyway.
    public mutating func boundReadingAhead() {
        linesAhead = max(Self.filterLinesAhead, Self.filterLinesAheadPerThread * threads)
        pendingLines = max(2048, 256 * threads)
        teacherQueueLines = max(512, 64 * threads)
        readBytes = Self.filterReadBytes
    }

    public static let filterLinesAhead = 8192
    public static let filterLinesAheadPerThread = 1024
    public static let filterReadBytes = 65_536
}
