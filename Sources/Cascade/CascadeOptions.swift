import Streams

/// The sizes and forms of a cascade. Every default is stated here once.
public struct CascadeOptions: Sendable {
    /// Names the source in records and ids.
    public var source = "stdin"
    public var input = InputForm.line
    public var format = OutputFormat.jsonl
    public var includesLogits = false
    public var maximumLineBytes = LineFramer.defaultMaximumLineBytes
    /// Threads that run models. The reader and the writer are two more, and mostly wait.
    public var threads = 1
    /// The most lines of a student job: enough for the student to sort by length, few enough to answer soon.
    public var studentLines = 256
    /// The most bytes of text of a student job, so that jobs of huge lines stay small.
    public var studentBytes = 262_144
    /// The most lines of a teacher pass: the teacher gains little beyond, and the lines behind wait.
    public var teacherLines = 32
    /// The fewest lines that are split among idle workers.
    public var studentGrain = 16
    /// Lines read ahead of the workers.
    public var pendingLines = 16_384
    /// Jobs in flight: how far answers may run ahead of a line that waits for the teacher, in jobs.
    public var jobs = 64
    /// Blocks of memory that lines are read into, and the size of each in bytes.
    public var chunks = 4
    public var chunkBytes = 1_048_576

    public init() {}
}
