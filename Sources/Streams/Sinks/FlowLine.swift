import Diagnostics
import Glibc

/// What the bytes of a flow sink go through. It is opened when there is something to deliver, and never waits itself.
protocol FlowLine: Sendable {
    /// -1 while it isn't open.
    var descriptor: Int32 { get }
    /// The most bytes to write at a time; so many are written as a whole where the system promises that.
    var pieceBytes: Int { get }
    /// Milliseconds from one try to open it to the next: the first pause, which doubles, and the longest.
    var pauses: (first: Int32, longest: Int32) { get }
    /// Whether a sink that drops keeps those pauses too, instead of trying at each delivery.
    var triesAreDear: Bool { get }

    mutating func open() -> FlowLineState
    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) -> FlowWrite
    mutating func close()
}

enum FlowLineState {
    case open
    /// Nobody is at the other end, or the path is in disorder; somebody may come or mend it.
    case absent(UnderstudyError)
    /// Nobody will ever be there again.
    case over
}

enum FlowWrite {
    /// So many bytes, at least one.
    case written(Int)
    case full
    /// The other side has gone; what it hadn't read is lost.
    case gone
    /// It may work later; the other side is still the same.
    case failed(UnderstudyError)

    /// What came of `write`, which is write(2) or send(2) to another side that doesn't make one wait.
    static func attempt(_ write: () -> Int) -> FlowWrite {
        while true {
            let written = write()
            if written > 0 { return .written(written) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .full
            default: return .gone
            }
        }
    }
}
