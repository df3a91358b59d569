import Diagnostics

/// A named source of a daemon: it supplies bytes and the position of each stretch of them, so that a later run can
/// continue there.
///
/// Three threads use one: the lane's reader calls `read`, the committer `checkpoint` and `committed`, any thread
/// `interrupt`.
public protocol StreamSource: AnyObject, Sendable {
    var name: String { get }

    /// Waits for the next event and returns it. A silent source isn't polled.
    ///
    /// An error ends the source. Problems of one file of many are reported separately, and the others continue.
    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent

    /// Makes a blocked read, and every later one, return `.stopped`. May be called from any thread, more than once.
    func interrupt()

    /// The data to keep so that a later run continues at `position`; nil if a source can't be read again.
    ///
    /// Called before the transaction that keeps it; by then everything before `position` has been answered durably.
    ///
    /// An error means that it is unavailable now: the commit waits and asks again.
    func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint?

    /// The transaction with that checkpoint is durable: a finished file may be moved or deleted, and memory released.
    func committed(_ position: SourcePosition)

    /// Files removed since the last call, whose checkpoints may be removed.
    func takeForgotten() -> [FileIdentity]
}

extension StreamSource {
    public func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint? { nil }
    public func committed(_ position: SourcePosition) {}
    public func takeForgotten() -> [FileIdentity] { [] }
}

public enum SourceEvent: Sendable {
    /// The following bytes belong to this origin, from `origin.start` on, which is the start of a line.
    case opened(SourceOrigin)
    /// The number of bytes, at least one.
    case bytes(Int)
    /// The origin has ended: the bytes after its last newline are a line too.
    case finished
    /// The origin has ended too early: the bytes after its last newline are not a whole line and can't be answered.
    /// Reading continues there if the rest comes later.
    case torn
    /// The source has ended; an open origin ends as with `finished`.
    case end
    /// `interrupt` was called. An unfinished line isn't answered; its checkpoint stays before it.
    case stopped
}
