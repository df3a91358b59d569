import Diagnostics

/// A named source of a daemon: bytes, and where each stretch of them stands, so that a later run can go on there.
///
/// Three threads use one: the lane's reader calls `read`, the committer `checkpoint` and `committed`, anybody
/// `interrupt`.
public protocol StreamSource: AnyObject, Sendable {
    var name: String { get }

    /// Waits until there is something, and says what. Nothing is polled: a silent source costs nothing.
    ///
    /// An error ends the source. What is wrong with one file of many is reported another way, and the rest goes on.
    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent

    /// Makes a read that waits, and every later one, return `.stopped`. May be called from any thread, more than once.
    func interrupt()

    /// What to keep so that a later run goes on at `position`; nil where a source can't be read again.
    ///
    /// Called before the transaction that keeps it; everything before `position` has been answered durably by then.
    ///
    /// An error says that it can't be told now: the commit waits and asks again.
    func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint?

    /// The transaction with that checkpoint is durable: a finished file may be moved or deleted, memory let go.
    func committed(_ position: SourcePosition)

    /// Files that are gone since the last call, whose checkpoints may be forgotten.
    func takeForgotten() -> [FileIdentity]
}

extension StreamSource {
    public func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint? { nil }
    public func committed(_ position: SourcePosition) {}
    public func takeForgotten() -> [FileIdentity] { [] }
}

public enum SourceEvent: Sendable {
    /// The bytes that follow belong to this origin, from `origin.start` on, which is the start of a line.
    case opened(SourceOrigin)
    /// So many bytes, at least one.
    case bytes(Int)
    /// The origin has ended: what follows its last newline is a line too.
    case finished
    /// The origin has ended too early: what follows its last newline is no whole line, and can't be answered. It is where
    /// reading goes on if there is more of it later.
    case torn
    /// The source has ended; of an origin that is open, as `finished`.
    case end
    /// `interrupt` was called. An unfinished line isn't answered; its checkpoint stays before it.
    case stopped
}
