import CFiles
import Diagnostics
import Glibc

/// A sink whose bytes can't be taken back after delivery: standard output, a FIFO, a socket, the journal.
///
/// Records delivered before a crash may be delivered again after it: at-least-once delivery, with duplicates
/// recognisable by id.
public protocol FlowSink: AnyObject, Sendable {
    var name: String { get }

    /// Delivers `bytes`, which are whole records. Waits while the other side is slow or absent, unless the sink drops.
    /// Several lanes may call; calls are served one at a time.
    func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome

    /// Makes a blocked delivery, and every later one, return `.interrupted`.
    func interrupt()
}

/// An opened sink, by its delivery guarantee.
public enum OpenedSink: Sendable {
    /// Its length is committed: exactly once.
    case file(FileSink)
    /// Delivered data can't be taken back: at least once.
    case flow(any FlowSink)
}

public enum FlowOutcome: Sendable, Equatable {
    case delivered
    /// The other side was full and the sink is configured to drop.
    case dropped
    /// `interrupt` was called before all bytes were delivered.
    case interrupted
    /// The sink has no reader and won't have one again (standard output's reader has closed it).
    case closed
}

/// What a flow sink does while the other side is full or absent.
public enum WhenFull: String, Sendable, CaseIterable {
    /// Waits: back-pressure slows down the source.
    case block
    /// Drops whole deliveries.
    case drop
}

/// The transport of a flow sink. It is opened when there is something to deliver, and never blocks.
protocol FlowLine: Sendable {
    /// -1 while it is closed.
    var descriptor: Int32 { get }
    /// Maximum number of bytes per write; writes of this size are atomic where the system guarantees that.
    var pieceBytes: Int { get }
    /// Milliseconds between attempts to open it: the first pause, which doubles, and the longest.
    var pauses: (first: Int32, longest: Int32) { get }
    /// Whether a sink that drops keeps those pauses too, instead of trying to open at each delivery.
    var reopeningIsExpensive: Bool { get }

    mutating func open() -> FlowLineState
    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) -> FlowWrite
    mutating func close()
}

enum FlowLineState {
    case open
    /// There is no reader, or the path is faulty; either may change.
    case absent(UnderstudyError)
    /// There will never be a reader again.
    case over
}

enum FlowWrite {
    /// The number of bytes written, at least one.
    case written(Int)
    case full
    /// The other side was closed; what it hadn't read is lost.
    case gone
    /// The write may succeed later; the other side is still the same.
    case failed(UnderstudyError)

    /// The outcome of `write`, which is a non-blocking write(2) or send(2).
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

/// The shared part of all flow sinks: deliveries one after another, blocking or dropping, without torn records.
///
/// Records end in a newline. The next reader gets whole records: the record that was interrupted when the last reader
/// closed is written again from its start. A sink that drops finishes a delivery that it has begun before any other; it
/// keeps the rest for that.
final class FlowDelivery<Line: FlowLine>: Sendable {
    private struct State: Sendable {
        var line: Line
        var isOver = false
        /// The bytes from the start of the partly delivered record, and how many of them were delivered.
        var rest: [UInt8] = []
        var restDone = 0
        /// Why nothing can be delivered at the moment; reported once.
        var trouble: UnderstudyError?
        var pause: Int32
        /// Monotonic clock, in milliseconds: the earliest time of the next attempt to open.
        var nextTry: Int64 = 0
        var hasWrittenSinceOpening = false
    }

    private enum Push {
        case done
        /// The number of bytes delivered when the other side was full.
        case full(Int)
        case absent
        case interrupted
        case over
    }

    /// How long a sink that drops waits for room, in milliseconds, once it has begun a delivery: an active reader gets
    /// the whole delivery, however large.
    private static var grace: Int64 { 100 }

    let name: String
    private let whenFull: WhenFull
    private let report: @Sendable (UnderstudyError) -> Void
    private let fullReport: RateLimitedReport
    /// Raised once, by `interrupt`.
    private let waker: Wake
    private let state: Monitor<State>

    init(
        name: String, line: Line, whenFull: WhenFull, waker: Wake, report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.name = name
        self.whenFull = whenFull
        self.report = report
        fullReport = RateLimitedReport(report)
        self.waker = waker
        state = Monitor(State(line: line, pause: line.pauses.first))
    }

    deinit { state.withLock { $0.line.close() } }

    func interrupt() { waker.signal() }

    func deliver(_ bytes: UnsafeBufferPointer<UInt8>) -> FlowOutcome {
        state.withLock { state in
            if waker.isRaised { return .interrupted }
            if state.isOver { return .closed }
            if !state.rest.isEmpty {
                let rest = state.rest
                switch rest.withUnsafeBufferPointer({ push($0, from: state.restDone, &state) }) {
                case .done: state.rest = []
                case .full(let done): return keep(rest, done, &state, .dropped)
                case .absent: return letGo(&state)
                case .interrupted: return .interrupted
                case .over: return .closed
                }
            }
            switch push(bytes, from: 0, &state) {
            case .done: return .delivered
            case .full(0):
                if state.trouble == nil {
                    fullReport("full", UnderstudyError(.tryAgain, "sink \(name) is full; answers are dropped"))
                }
                return .dropped
            case .full(let done): return keep(Array(bytes), done, &state, .delivered)
            case .absent: return letGo(&state)
            case .interrupted: return .interrupted
            case .over: return .closed
            }
        }
    }

    /// Runs `body` between two deliveries.
    func withLine(_ body: (inout Line) -> Void) { state.withLock { body(&$0.line) } }

    /// Keeps the bytes after `done`, from the start of the record that contains that position.
    private func keep(_ bytes: [UInt8], _ done: Int, _ state: inout State, _ outcome: FlowOutcome) -> FlowOutcome {
        let start = bytes.withUnsafeBufferPointer { Self.recordStart($0, done) }
        state.rest = Array(bytes[start...])
        state.restDone = done - start
        return outcome
    }

    private func letGo(_ state: inout State) -> FlowOutcome {
        state.rest = []
        return .dropped
    }

    /// Writes `bytes` from `start` on. A sink that blocks returns only `.done`, `.interrupted` or `.over`.
    private func push(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ state: inout State) -> Push {
        var done = start
        var patience: Int64?
        while done < bytes.count {
            if state.line.descriptor < 0 {
                if whenFull == .drop, state.line.reopeningIsExpensive, Self.now() < state.nextTry { return .absent }
                switch state.line.open() {
                case .open: state.hasWrittenSinceOpening = false
                case .over:
                    state.isOver = true
                    return .over
                case .absent(let error):
                    trouble(error, &state)
                    if pauseFails(&state) { return .interrupted }
                    if whenFull == .drop { return .absent }
                    continue
                }
            }
            switch state.line.write(Self.piece(bytes, done, state.line.pieceBytes)) {
            case .written(let count):
                done += count
                patience = nil
                state.hasWrittenSinceOpening = true
                state.pause = state.line.pauses.first
                recovered(&state)
            case .full:
                var milliseconds: Int32 = -1
                if whenFull == .drop {
                    guard done > start else { return .full(done) }
                    let end = patience ?? Self.now() + Self.grace
                    patience = end
                    milliseconds = Int32(max(0, end - Self.now()))
                }
                switch waker.wait(for: POLLOUT, on: state.line.descriptor, milliseconds: milliseconds) {
                case .raised: return .interrupted
                case .time: return .full(done)
                case .ready: break
                }
            case .gone:
                state.line.close()
                done = Self.recordStart(bytes, done)
                // If the other side accepts connections only to close them, the next attempt waits.
                if !state.hasWrittenSinceOpening, pauseFails(&state) { return .interrupted }
            case .failed(let error):
                trouble(error, &state)
                if whenFull == .drop { return .full(done) }
                if pauseFails(&state) { return .interrupted }
            }
        }
        return .done
    }

    /// Waits before the next attempt, or notes its time if the sink drops. True when interrupted.
    private func pauseFails(_ state: inout State) -> Bool {
        let pause = state.pause
        state.pause = min(pause * 2, state.line.pauses.longest)
        state.nextTry = Self.now() + Int64(pause)
        return whenFull == .block && waker.sleep(milliseconds: pause)
    }

    private func trouble(_ error: UnderstudyError, _ state: inout State) {
        guard state.trouble != error else { return }
        state.trouble = error
        let meanwhile = whenFull == .drop ? "answers are dropped until it recovers" : "answers wait"
        report(UnderstudyError(error.code, "sink \(name): \(error.message); \(meanwhile)", at: error.place))
    }

    private func recovered(_ state: inout State) {
        guard state.trouble != nil else { return }
        state.trouble = nil
        report(UnderstudyError(.tryAgain, "sink \(name) recovered"))
    }

    /// The bytes for one write: whole records from `done` on, or a part of a longer record.
    private static func piece(
        _ bytes: UnsafeBufferPointer<UInt8>, _ done: Int, _ most: Int
    ) -> UnsafeBufferPointer<UInt8> {
        guard bytes.count - done > most else { return UnsafeBufferPointer(rebasing: bytes[done...]) }
        let end = lineEnd(bytes[done..<done + most]) ?? done + most
        return UnsafeBufferPointer(rebasing: bytes[done..<end])
    }

    /// Where the record that contains `position` starts.
    private static func recordStart(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        lineEnd(bytes[..<position]) ?? 0
    }

    /// The position after the last newline; nil if there is none.
    private static func lineEnd(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
