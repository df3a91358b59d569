import Cascade
import Diagnostics
import Glibc
import Streams

/// Keeps the service manager informed: the watchdog's sign of life, taken from the threads that do the work, and the
/// status line.
///
/// One thread that wakes up as often as the watchdog needs it, and every few seconds while lines are under way; without
/// a service manager it isn't started.
final class Heart: Sendable {
    private let state = Monitor(false)
    private let thread: WorkerThread?

    init(_ work: DaemonWork) throws(UnderstudyError) {
        let manager = work.daemon.surroundings.manager
        guard manager.isPresent || manager.watchdogInterval != nil else {
            thread = nil
            return
        }
        let state = state
        let pulse = Pulse(
            manager: manager, engine: work.engine, committer: work.committer, phases: work.daemon.phases,
            status: StatusSupply(work))
        thread = try WorkerThread(name: "heart") { pulse.run(until: state) }
    }

    func stop() {
        state.withLock { $0 = true }
        state.broadcast(0)
        thread?.join()
    }
}

/// The heart's beating.
private struct Pulse: Sendable {
    let manager: ServiceManager
    let engine: CascadeEngine
    let committer: Committer
    let phases: PhaseRecord
    let status: StatusSupply

    /// How often the status line is renewed while it changes, and looked at while it doesn't, in nanoseconds.
    private static let statusInterval: UInt64 = 5_000_000_000
    private static let idleInterval: UInt64 = 30_000_000_000

    func run(until state: Monitor<Bool>) {
        let watchdog = manager.watchdogInterval.map { UInt64(max(0, $0 / .nanoseconds(1))) }
        let most = watchdog.map { max($0 / 3, 1_000_000) } ?? .max
        var interval = min(most, Self.statusInterval)
        var lastStatus = ""
        while true {
            let stopped: Bool? = state.wait(on: 0, until: Monotonic.nanoseconds &+ interval) { $0 ? true : nil }
            if stopped == true { return }
            if let watchdog { look(patience: watchdog / 3) }
            let line = status.line
            interval = min(most, line == lastStatus ? Self.idleInterval : Self.statusInterval)
            guard line != lastStatus else { continue }
            manager.status(line)
            lastStatus = line
        }
    }

    /// Tells the watchdog that all is well if every worker comes by and the committer isn't stuck.
    private func look(patience: UInt64) {
        let missing = engine.callWorkers(patience: patience)
        let busy = committer.busyTime
        if missing == 0, busy < 3 * patience {
            phases.note(stuck: nil)
            manager.watchdog()
        } else {
            phases.note(
                stuck: missing > 0
                    ? "\(missing) threads haven't come by" : "a commit has taken \(busy / 1_000_000_000) s")
        }
    }
}
