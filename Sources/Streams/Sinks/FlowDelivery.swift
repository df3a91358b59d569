import Diagnostics
import Glibc

/// The part that all flow sinks share: one delivery after the other, waiting or dropping, and no record torn.
///
/// Records end in a newline. Whoever comes to the other end next gets whole records: the one that was interrupted when
/// the last reader went is written again from its start. What a sink that drops has begun to write is finished before
/// anything else; its rest is kept for that.
final class FlowDelivery<Line: FlowLine>: Sendable {
    private struct State: Sendable {
        var line: Line
        var isOver = false
        /// From the start of the record that the other side has in part, and how many bytes of it were handed over.
        var rest: [UInt8] = []
        var restDone = 0
        /// Why nothing goes through at the moment; told of once.
        var trouble: UnderstudyError?
        var pause: Int32
        /// By the monotonic clock, in milliseconds: not to be opened before.
        var nextTry: Int64 = 0
        var hasWrittenSinceOpening = false
    }

    private enum Push {
        case done
        /// So many bytes were handed over when there was no more room.
        case full(Int)
        case absent
        case interrupted
        case over
    }

    /// How long a sink that drops waits for room, in milliseconds, once it has begun a delivery: a reader that reads
    /// gets all of it, however large.
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

    /// Between two deliveries.
    func withLine(_ body: (inout Line) -> Void) { state.withLock { body(&$0.line) } }

    /// Keeps what is left after `done` bytes, from the start of the record that is cut through.
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

    /// Writes `bytes` from `start` on. A sink that blocks comes back with `.done`, `.interrupted` or `.over` only.
    private func push(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ state: inout State) -> Push {
        var done = start
        var patience: Int64?
        while done < bytes.count {
            if state.line.descriptor < 0 {
                if whenFull == .drop, state.line.triesAreDear, Self.now() < state.nextTry { return .absent }
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
                // One that takes connections only to close them isn't tried without pause.
                if !state.hasWrittenSinceOpening, pauseFails(&state) { return .interrupted }
            case .failed(let error):
                trouble(error, &state)
                if whenFull == .drop { return .full(done) }
                if pauseFails(&state) { return .interrupted }
            }
        }
        return .done
    }

    /// Waits before the next try, or notes when that may be if the sink drops. True when interrupted.
    private func pauseFails(_ state: inout State) -> Bool {
        let pause = state.pause
        state.pause = min(pause * 2, state.line.pauses.longest)
        state.nextTry = Self.now() + Int64(pause)
        return whenFull == .block && waker.sleep(milliseconds: pause)
    }

    private func trouble(_ error: UnderstudyError, _ state: inout State) {
        guard state.trouble != error else { return }
        state.trouble = error
        let meanwhile = whenFull == .drop ? "answers are dropped meanwhile" : "answers wait"
        report(UnderstudyError(error.code, "sink \(name): \(error.message); \(meanwhile)", at: error.place))
    }

    private func recovered(_ state: inout State) {
        guard state.trouble != nil else { return }
        state.trouble = nil
        report(UnderstudyError(.tryAgain, "sink \(name) goes on"))
    }

    /// Whole records from `done` on that go into one write, or a part of a record that is longer.
    private static func piece(
        _ bytes: UnsafeBufferPointer<UInt8>, _ done: Int, _ most: Int
    ) -> UnsafeBufferPointer<UInt8> {
        guard bytes.count - done > most else { return UnsafeBufferPointer(rebasing: bytes[done...]) }
        let end = lineEnd(bytes[done..<done + most]) ?? done + most
        return UnsafeBufferPointer(rebasing: bytes[done..<end])
    }

    /// Where the record starts that `position` is in.
    private static func recordStart(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        lineEnd(bytes[..<position]) ?? 0
    }

    /// Where the last newline ends; nil if there is none.
    private static func lineEnd(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
