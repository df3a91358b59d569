/// A circuit breaker for the teacher: after a failure it isn't asked for a while, then one probe decides.
///
/// Closed ─failure→ open for a pause ─→ one probe ─success→ closed; a failed probe doubles the pause, up to a bound.
/// Nygard, Release It!, 'Circuit Breaker'. Pure: times are given, in nanoseconds.
public struct TeacherCircuit: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        case closed
        case open(until: UInt64)
        /// Somebody is trying.
        case probing
    }

    public private(set) var state = State.closed
    /// How often it has opened.
    public private(set) var openings = 0
    private let firstPause: UInt64
    private var pause: UInt64
    static let longestPause: UInt64 = 60_000_000_000

    public init(firstPause: UInt64) {
        self.firstPause = max(1, firstPause)
        pause = self.firstPause
    }

    /// Whether a pass may be tried now. The one that is let through an open circuit is the probe.
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

    /// Whether lines that need the teacher have no hope for now.
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

    /// A pass has ended whose lines were all gone by the time the teacher was to be asked: it says nothing of the teacher,
    /// and the next one may be the probe.
    public mutating func passedWithoutLines(at now: UInt64) {
        if state == .probing { state = .open(until: now) }
    }

    public mutating func failed(at now: UInt64) {
        // Passes that began before the circuit opened don't open it further.
        if case .open = state { return }
        if state == .probing { pause = min(pause &* 2, max(firstPause, Self.longestPause)) }
        if state == .closed { openings += 1 }
        state = .open(until: now &+ pause)
    }
}
