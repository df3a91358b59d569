import Cascade
import Synchronization

/// Counts what the present shadow says. They begin anew with another shadow, another student, and the process: a shadow's
/// time is short, and half a count is no loss.
package final class ShadowCounts: Sendable {
    private struct State {
        var version: String?
        var student = ""
        var share = 0.0
        var tally = ShadowTally()
    }

    private let state = Mutex(State())

    package init() {}

    /// nil: there is no shadow.
    func begin(shadow: String?, share: Double, student: String) {
        state.withLock { state in
            guard state.version != shadow || state.student != student || state.share != share else { return }
            state = State(version: shadow, student: student, share: share)
        }
    }

    func record(_ tally: ShadowTally, student: String) {
        guard tally.lines > 0 || tally.broken > 0 || tally.judged > 0 else { return }
        state.withLock { state in
            guard state.version != nil, state.student == student else { return }
            state.tally.add(tally)
        }
    }

    /// nil where there is no shadow.
    var current: (version: String, share: Double, tally: ShadowTally)? {
        state.withLock { state in state.version.map { ($0, state.share, state.tally) } }
    }
}
