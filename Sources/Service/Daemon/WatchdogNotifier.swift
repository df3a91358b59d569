import Cascade
import Diagnostics
import Glibc
import Streams
import Synchronization

/// Notifies the service manager's watchdog while the working threads respond, and sends the status line.
///
/// One thread, which wakes up as often as the watchdog requires, and every few seconds while lines are under way.
/// Without a service manager it isn't started.
final class WatchdogNotifier: Sendable {
    private let state = Monitor(false)
    private let thread: WorkerThread?

    init(_ work: DaemonWork) throws(UnderstudyError) {
        let manager = work.daemon.surroundings.manager
        guard manager.isPresent || manager.watchdogInterval != nil else {
            thread = nil
            return
        }
        let state = state
        let loop = WatchdogLoop(
            manager: manager, engine: work.engine, committer: work.committer, phases: work.daemon.phases,
            status: StatusSupply(work))
        thread = try WorkerThread(name: "watchdog") { loop.run(until: state) }
    }

    func stop() {
        state.withLock { $0 = true }
        state.broadcast(0)
        thread?.join()
    }
}

/// The loop of the thread.
private struct WatchdogLoop: Sendable {
    let manager: ServiceManager
    let engine: CascadeEngine
    let committer: Committer
    let phases: PhaseRecord
    let status: StatusSupply

    /// Interval of updates of the status line, in nanoseconds.
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

    /// Notifies the watchdog if every worker responds and the committer isn't stuck.
    private func look(patience: UInt64) {
        let missing = engine.callWorkers(patience: patience)
        let busy = committer.busyTime
        if missing == 0, busy < 3 * patience {
            phases.note(stuck: nil)
            manager.watchdog()
        } else {
            phases.note(
                stuck: missing > 0
                    ? "\(missing) threads don't respond" : "a commit has taken \(busy / 1_000_000_000) s")
        }
    }
}

/// The phase of the daemon and its known problems, for status and health checks.
final class PhaseRecord: Sendable {
    struct Entry: Sendable {
        var phase = ServicePhase.starting
        /// Seconds since 1970.
        var since = Double(time(nil))
        var message = ""
        var warning: String?
        /// Why the student to serve was refused and another one serves.
        var refusedStudent: String?
        /// Why the daemon is stuck.
        var stuck: String?
    }

    private let entry = Mutex(Entry())

    func enter(_ phase: ServicePhase, message: String = "") {
        entry.withLock { entry in
            entry.phase = phase
            entry.since = Double(time(nil))
            entry.message = message
        }
    }

    func note(warning: String?) { entry.withLock { $0.warning = warning } }
    func note(refusedStudent: String?) { entry.withLock { $0.refusedStudent = refusedStudent } }
    func note(stuck: String?) { entry.withLock { $0.stuck = stuck } }
    var current: Entry { entry.withLock { $0 } }
}
