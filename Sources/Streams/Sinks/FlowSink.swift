/// A sink whose bytes are gone once they are handed over: standard output, a FIFO, a socket, the journal.
///
/// What it was given before a crash and what is given again after it may overlap: at least once, recognisable by id.
public protocol FlowSink: AnyObject, Sendable {
    var name: String { get }

    /// Hands over `bytes`, which are whole records; waits while the other side is slow or not there, unless the sink
    /// drops. Several lanes may call; one is served at a time.
    func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome

    /// Makes a delivery that waits, and every later one, return `.interrupted`.
    func interrupt()
}

public enum FlowOutcome: Sendable, Equatable {
    case delivered
    /// The other side was full and the sink is of the kind that drops then.
    case dropped
    /// `interrupt` was called before all was handed over.
    case interrupted
    /// Nobody reads any more and nobody ever will (standard output's reader has gone).
    case closed
}
