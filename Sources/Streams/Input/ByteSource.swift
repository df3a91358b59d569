import Diagnostics

/// Where the bytes of a stream come from.
public protocol ByteSource: Sendable {
    /// Waits until there is something, and reads at most `room.count` bytes of it (never none: see `ReadOutcome`).
    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> ReadOutcome

    /// Makes a read that waits, and every later one, return `.stopped`. May be called from any thread, more than once.
    func interrupt()
}

public enum ReadOutcome: Sendable, Equatable {
    /// So many bytes, at least one.
    case bytes(Int)
    /// The stream has ended.
    case end
    /// `interrupt` was called, or nobody takes the output any more.
    case stopped
}
