import Cascade
import Configuration
import Streams

extension Settings {
    /// The sizes of the engine.
    var engineOptions: CascadeOptions {
        var options = CascadeOptions()
        options.threads = cascade.threads ?? Processors.available
        options.teacherThreads = cascade.teacherThreads
        options.studentLines = cascade.batchLines
        options.teacherQueueLines = cascade.teacherQueueLines
        options.whenTeacherFull = cascade.whenTeacherFull == .block ? .block : .answerWithStudent
        options.teacherTimeout = UInt64(cascade.teacherTimeoutSeconds) * 1_000_000_000
        options.teacherRetry = UInt64(cascade.teacherRetrySeconds) * 1_000_000_000
        options.teacherBatchWait = UInt64(cascade.batchWaitMilliseconds) * 1_000_000
        return options
    }
}
