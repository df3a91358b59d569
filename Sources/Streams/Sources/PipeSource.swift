import Diagnostics

/// A source whose bytes come out of a pipe and can be moved on without being read into memory, so that a process that
/// is killed in between doesn't take them along.
protocol PipeSource: StreamSource {
    /// Whether there is a pipe behind it after all.
    var isPipe: Bool { get }

    /// Waits until a pipe has bytes or has ended, and lets `move` take them from its descriptor. Used in place of
    /// `read`, by the same thread.
    func take(_ move: (Int32) -> PipeMove) throws(UnderstudyError) -> PipeEvent
}

/// What became of an attempt to take bytes from a pipe.
enum PipeMove {
    /// So many, at least one; whether the last of them is LF.
    case bytes(Int, endInLine: Bool)
    /// The pipe is empty and has no writers.
    case ended
    /// There was nothing, or a signal came: try again.
    case again
    /// Nothing was taken, for a reason that the mover knows.
    case failed
}

enum PipeEvent {
    case bytes(Int)
    /// One of several pipes has ended within a line, which nobody will finish.
    case lineLeftOpen
    case end
    case stopped
    case failed
}
