import Cascade
import Configuration
import Diagnostics
import Glibc
import Logging
import Streams

/// The sinks in use, and their replacement by a reload. Used only by the control thread.
final class RunningSinks {
    /// The sinks for all following jobs.
    private(set) var current: SinkRouting.Sinks
    private let factory: SinkFactory
    private let outlet: Outlet
    private let daemon: Daemon

    /// Time that a removed sink gets, in nanoseconds.
    private static let farewell: UInt64 = 2_000_000_000

    /// Creates all sinks, so that a wrong path is found at the start.
    init(_ settings: Settings, factory: SinkFactory, outlet: Outlet, daemon: Daemon) throws(UnderstudyError) {
        self.factory = factory
        self.outlet = outlet
        self.daemon = daemon
        var wired: [SinkRouting.Wired] = []
        for sink in settings.sinks {
            wired.append(SinkRouting.Wired(settings: sink, target: try factory.make(sink)))
        }
        var deadLetter: SinkTarget?
        if let letter = settings.deadLetter { deadLetter = try factory.make(letter) }
        current = SinkRouting.Sinks(wired: wired, deadLetter: deadLetter)
        outlet.watch(wired.map(\.target))
    }

    /// Reopens the output files at the next answer, because logrotate has moved them.
    func reopen() {
        outlet.monitor.withLock { _ in
            for wired in current.wired { wired.target.reopen() }
            current.deadLetter?.reopen()
        }
    }

    /// Ends all waiting of the sinks' flows.
    func interrupt() {
        for wired in current.wired { wired.target.interrupt() }
    }

    /// Returns the sinks of the new settings. Unchanged sinks are reused. The current ones stay in use until `exchange`.
    func renewed(_ plan: ReloadPlan, _ new: Settings) throws(UnderstudyError) -> SinkRouting.Sinks {
        var wired: [SinkRouting.Wired] = []
        for sink in new.sinks {
            if let old = current.wired.first(where: { sink.keepsSink(of: $0.settings) }) {
                wired.append(SinkRouting.Wired(settings: sink, target: old.target))
            } else if let target = sameFile(sink) {
                wired.append(SinkRouting.Wired(settings: sink, target: target))
            } else {
                wired.append(SinkRouting.Wired(settings: sink, target: try factory.make(sink)))
            }
        }
        var deadLetter = current.deadLetter
        if plan.deadLetterChanges {
            deadLetter = nil
            if let letter = new.deadLetter { deadLetter = try factory.make(letter) }
        }
        return SinkRouting.Sinks(wired: wired, deadLetter: deadLetter)
    }

    /// Returns a sink that writes to the file of an existing sink and shares its file object. Two objects that account
    /// for the length of one file would both be wrong.
    private func sameFile(_ sink: SinkSettings) -> SinkTarget? {
        guard let file = sink.kind.appendedFile else { return nil }
        for old in current.wired where old.settings.kind.appendedFile == file {
            if sink.changesFile(of: old.settings) {
                daemon.log.warning(
                    "restart needed: permissions and sync of a file in use change at the next restart",
                    metadata: ["sink": "\(sink.name)"])
            }
            return factory.target(sink, old.target.kind)
        }
        return nil
    }

    /// Replaces the sinks for all following jobs. `announce` passes them to the sources. Removed sinks get some time for
    /// lines in flight; afterwards a flow is no longer waited for.
    func exchange(_ new: SinkRouting.Sinks, announce: (SinkRouting.Sinks) -> Void) {
        struct Leaving {
            weak var target: SinkTarget?
        }
        let leaving = current.wired.map(\.target).filter { old in !new.wired.contains { $0.target === old } }
            .map { Leaving(target: $0) }
        current = new
        outlet.watch(new.wired.map(\.target))
        announce(new)
        // Jobs retain their sinks. A sink is released with the last job that uses it.
        let deadline = Monotonic.nanoseconds &+ Self.farewell
        while leaving.contains(where: { $0.target != nil }), Monotonic.nanoseconds < deadline { usleep(10_000) }
        for sink in leaving { sink.target?.retire() }
        let names = new.wired.map(\.target.name) + [SinkFactory.deadLetterName]
        outlet.monitor.withLock { state in state.full = state.full.filter { names.contains($0.key) } }
    }
}
