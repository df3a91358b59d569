/// A circuit breaker for the teacher: after a failure the teacher isn't used for a pause, then one probe decides.
///
/// Closed ─failure→ open for a pause ─→ one probe ─success→ closed; a failed probe doubles the pause, up to a bound.
/// See Nygard, Release It!, 'Circuit Breaker'. Times are parameters, in nanoseconds.
public struct TeacherCircuit: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        case closed
        case open(until: UInt64)
        /// A probe is running.
        case probing
    }

    public private(set) var state = State.closed
    /// Number of times that the circuit has opened.
    public private(set) var openings = 0
    private let firstPause: UInt64
    private var pause: UInt64
    static let longestPause: UInt64 = 60_000_000_000

    public init(firstPause: UInt64) {
        self.firstPause = max(1, firstPause)
        pause = self.firstPause
    }

    /// Returns whether a pass may run now. A pass admitted by an open circuit is the probe.
    public mutating func admits(at now: UInt64) -> Bool {
        switch state {
        case .closed: return true
        case .probing: return false
        case .open(let until):
            guard now >= until else { return false }
            state = .probing
            return true
        }
    }

    /// Returns whether lines that need the teacher can't be served now.
    public func refuses(at now: UInt64) -> Bool {
        switch state {
        case .closed: false
        case .probing: true
        case .open(let until): now < until
        }
    }

    public mutating func succeeded() {
        state = .closed
        pause = firstPause
    }

    /// Records the end of a pass whose lines had all expired before it ran. It is neither a success nor a failure, and
    /// the next pass may be the probe.
    public mutating func passedWithoutLines(at now: UInt64) {
        if state == .probing { state = .open(until: now) }
    }

    public mutating func failed(at now: UInt64) {
        // Passes that began before the circuit opened don't extend the pause.
        if case .open = state { return }
        if state == .probing { pause = min(pause &* 2, max(firstPause, Self.longestPause)) }
        if state == .closed { openings += 1 }
        state = .open(until: now &+ pause)
    }
}
