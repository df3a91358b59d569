import Streams

/// The limits and formats of a cascade. The defaults are those of a filter; a daemon sets its own from
/// `CascadeSettings`.
public struct CascadeOptions: Sendable {
    /// Handling of a deferred line while the teacher's queue is full or the teacher fails.
    public enum WhenTeacherFull: String, Sendable, CaseIterable {
        /// The line waits, and so does its source at the limits.
        case block
        /// The student's answer is used, marked as skipped by the teacher.
        case answerWithStudent = "answer_with_student"
    }

    /// Format of a filter's lines; a daemon sets it in the options and routes of its lanes. `source` names the source
    /// in records and ids.
    public var source = "stdin"
    public var input = InputForm.line
    public var format = OutputFormat.jsonl
    public var includesLogits = false
    public var maximumLineBytes = LineFramer.defaultMaximumLineBytes
    /// Threads that run models, or the student only if `teacherThreads` isn't 0. Readers and writers have further
    /// threads, which mostly wait.
    public var threads = 1
    /// Threads that run only the teacher; 0: `threads` run it.
    public var teacherThreads = 0
    /// Maximum lines of a student job. More lines sort better by length; fewer are answered sooner.
    public var studentLines = 256
    /// Maximum bytes of text in a student job. It bounds jobs of very long lines.
    public var studentBytes = 262_144
    /// Maximum lines of a teacher pass. A longer one gains little throughput and delays the next lines.
    public var teacherLines = 32
    /// Minimum lines of a job to be split among idle workers.
    public var studentGrain = 16
    /// Maximum lines read ahead of the workers, per source.
    public var pendingLines = 16_384
    /// Maximum jobs in flight, per source. It bounds how far answers run ahead of a deferred line.
    public var jobs = 64
    /// Maximum lines read and not yet delivered, per source; at the limit the reader waits. The lines of one read may
    /// exceed it.
    public var linesAhead = Int.max
    /// Maximum bytes of one read.
    public var readBytes = Int.max
    /// Number of memory blocks for reading, per source, and the size of a block in bytes.
    public var chunks = 4
    public var chunkBytes = 1_048_576
    /// Maximum lines in the teacher's queue. It is checked before a job is taken, so one job may exceed it.
    public var teacherQueueLines = Int.max
    public var whenTeacherFull = WhenTeacherFull.block
    /// Maximum wait of a line for the teacher if the student may answer instead, in nanoseconds.
    public var teacherTimeout: UInt64 = 30_000_000_000
    /// The first pause after a failure of the teacher, in nanoseconds; see `TeacherCircuit`.
    public var teacherRetry: UInt64 = 1_000_000_000
    /// Maximum wait of a partly filled teacher batch for more lines, in nanoseconds.
    public var teacherBatchWait: UInt64 = 0

    public init() {}

    /// Sets the limits of a filter for its number of threads, so that the number of lines an interrupted run still has
    /// to answer doesn't depend on the teacher's speed.
    ///
    /// 8,192 lines let the student run ahead of several teacher passes at the usual deferral shares; 2,048 lines not
    /// yet taken by a worker are eight jobs. With a slow teacher its queue is the first limit to be reached; about half
    /// of the lines are then under way. A pipe delivers 64 KiB at a time in any case.
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
