import Cascade
import Configuration
import Diagnostics
import Logging
import Streams

/// The sources in use: those that are read, those that are ending, and those that wait for one that is ending. Used only
/// by the control thread.
final class RunningSources {
    private(set) var runners: [SourceRunner] = []
    /// Those of `runners` that could not be drained in time. They end when their sinks have taken the rest.
    private var leaving: [SourceRunner] = []
    /// Sources that start when one of `leaving` has ended.
    private var delayed: [SourceSettings] = []
    /// Why the last source that failed did so.
    private(set) var failureOfLast: UnderstudyError?
    private let factory: SourceFactory
    private let sinks: RunningSinks
    private let promotionMonitor: PromotionMonitor
    private let outlet: Outlet
    private let engine: CascadeEngine
    private let daemon: Daemon

    init(
        factory: SourceFactory, sinks: RunningSinks, promotionMonitor: PromotionMonitor, outlet: Outlet,
        engine: CascadeEngine, daemon: Daemon
    ) {
        self.factory = factory
        self.sinks = sinks
        self.promotionMonitor = promotionMonitor
        self.outlet = outlet
        self.engine = engine
        self.daemon = daemon
    }

    var isEmpty: Bool { runners.isEmpty }

    // MARK: Start

    /// Opens all sources, and then starts to read them.
    func start(_ settings: [SourceSettings]) throws(UnderstudyError) {
        var opened: [(SourceSettings, any StreamSource)] = []
        for source in settings { opened.append((source, try factory.make(source))) }
        for entry in factory.inherited.unclaimed {
            daemon.log.warning(
                "descriptor left unused: no source reads the descriptor passed by the socket unit",
                metadata: ["name": "\(entry.name)"])
        }
        for (settings, source) in opened { try run(settings, source) }
    }

    private func run(_ settings: SourceSettings, _ source: any StreamSource) throws(UnderstudyError) {
        let control = daemon.control
        let log = daemon.log
        let output = SourceOutput(
            outlet: outlet, metrics: daemon.metrics, drift: promotionMonitor.drift,
            shadow: promotionMonitor.shadow,
            source: daemon.metrics.source(settings.name),
            outputClosed: {
                log.warning("output closed: standard output was closed; the daemon stops")
                control.stop()
            })
        let routing = SinkRouting(
            source: settings.name, field: settings.input.field, metrics: daemon.metrics, sinks: sinks.current)
        outlet.add(source)
        do throws(UnderstudyError) {
            let runner = try SourceRunner(settings, source: source, routing: routing, output: output, engine: engine)
            try runner.start { control.noteEnd() }
            runners.append(runner)
        } catch {
            outlet.remove(source)
            throw error
        }
    }

    private func open(_ settings: SourceSettings) throws(UnderstudyError) {
        try run(settings, try factory.make(settings))
    }

    private func isInUse(_ source: SourceSettings) -> Bool {
        leaving.contains { runner in
            runner.settings.name == source.name || runner.settings.readsWhere(source)
        }
    }

    // MARK: Reload

    /// Sources to start.
    struct Opened {
        var ready: [(SourceSettings, any StreamSource)] = []
        /// Sources whose name or path is still used by a source that is ending.
        var delayed: [SourceSettings] = []
    }

    /// Opens the sources that a reload adds. Nothing is read yet, and no source in use has changed.
    func open(added: [SourceSettings]) throws(UnderstudyError) -> Opened {
        var opened = Opened()
        for source in added {
            if isInUse(source) {
                opened.delayed.append(source)
            } else {
                opened.ready.append((source, try factory.make(source)))
            }
        }
        return opened
    }

    /// The result of a reload.
    struct Change {
        /// The sources in force. One that could not be started is replaced by its previous settings or left out, so that
        /// the next reload tries again.
        var sources: [SourceSettings]
        /// The first failure to start a source.
        var failure: UnderstudyError?
    }

    /// Ends the sources that the new settings omit or change, and starts those that they add or change.
    ///
    /// Throws `tryAgain` if the daemon is stopped before.
    func change(
        _ plan: ReloadPlan, opened: Opened, from old: [SourceSettings], to new: Settings
    ) throws(UnderstudyError) -> Change {
        let retired = try retire(plan.removedSources, within: new.shutdown)
        // A pipe keeps its contents only while it is open. The old source holds it open until the new one does.
        defer { withExtendedLifetime(retired) {} }
        delayed = delayed.filter { new.sources.contains($0) } + opened.delayed
        var change = Change(sources: new.sources)
        func fail(_ source: SourceSettings, _ error: UnderstudyError, before: SourceSettings?) {
            change.failure = change.failure ?? error
            change.sources.removeAll { $0.name == source.name }
            if let before, restart(before) { change.sources.append(before) }
        }
        for (source, stream) in opened.ready {
            do throws(UnderstudyError) { try run(source, stream) } catch { fail(source, error, before: nil) }
        }
        for source in plan.changedSources {
            if isInUse(source) {
                delayed.append(source)
                continue
            }
            do throws(UnderstudyError) { try open(source) } catch {
                fail(source, error, before: old.first { $0.readsWhere(source) })
            }
        }
        return change
    }

    /// Starts a source whose changed settings could not be started. Returns whether it is read again.
    private func restart(_ source: SourceSettings) -> Bool {
        do throws(UnderstudyError) {
            try open(source)
            return true
        } catch {
            daemon.log.report(
                error, what: "source \(source.name) not started", metadata: ["source": "\(source.name)"])
            return false
        }
    }

    /// Ends sources after their lines are answered. Returns the sources that it has told to end.
    ///
    /// A source whose lines a sink doesn't take in time ends later by itself, so that none of its lines is lost and the
    /// others continue. Throws `tryAgain` if the daemon is stopped before.
    private func retire(
        _ names: [String], within shutdown: ShutdownSettings
    ) throws(UnderstudyError) -> [SourceRunner] {
        let retired = runners.filter { runner in
            names.contains(runner.settings.name) && !leaving.contains { $0 === runner }
        }
        for runner in retired { runner.interrupt() }
        let allowed = UInt64(shutdown.drainSeconds) * 1_000_000_000
        let deadline = Monotonic.nanoseconds &+ allowed
        var ended: [SourceRunner] = []
        for runner in retired {
            guard runner.wait(until: deadline) else {
                daemon.log.warning(
                    "source still in use: a sink doesn't accept its last lines; it ends after they are delivered",
                    metadata: ["source": "\(runner.settings.name)"])
                leaving.append(runner)
                continue
            }
            keepUnfinished(runner, runner.close())
            ended.append(runner)
        }
        guard !ended.isEmpty else { return retired }
        guard makeDurable() else {
            throw UnderstudyError(.tryAgain, "the daemon was stopped before its new settings took effect")
        }
        for runner in ended { outlet.remove(runner.source) }
        runners.removeAll { runner in ended.contains { $0 === runner } }
        return retired
    }

    // MARK: End

    /// Closes the lanes of sources that have ended, and starts the sources that waited for them.
    func collectEnded() {
        let over = runners.filter(\.hasEnded)
        for runner in over {
            let ending = runner.close()
            keepUnfinished(runner, ending)
            if makeDurable() { outlet.remove(runner.source) }
            if let failure = ending?.failure {
                failureOfLast = failure
                daemon.log.report(
                    failure, what: "source \(runner.settings.name) failed",
                    metadata: ["source": "\(runner.settings.name)"])
                daemon.phases.note(warning: "source \(runner.settings.name) has failed: \(failure.message)")
            } else {
                daemon.log.info(
                    "source ended: \(runner.settings.name) has been read to its end",
                    metadata: ["source": "\(runner.settings.name)"])
            }
        }
        runners.removeAll { runner in over.contains { $0 === runner } }
        leaving.removeAll { runner in over.contains { $0 === runner } }
        startDelayed()
    }

    private func startDelayed() {
        let ready = delayed.filter { !isInUse($0) }
        delayed.removeAll { ready.contains($0) }
        for source in ready {
            do throws(UnderstudyError) { try open(source) } catch {
                daemon.log.report(
                    error, what: "source \(source.name) not started", metadata: ["source": "\(source.name)"])
                daemon.phases.note(warning: "source \(source.name) has failed: \(error.message)")
            }
        }
    }

    /// Waits without a time limit until everything delivered is durable. Returns false if the daemon is stopped before.
    private func makeDurable() -> Bool {
        while !outlet.flush(until: Monotonic.nanoseconds &+ 1_000_000_000) {
            if daemon.control.isStopping { return false }
        }
        return true
    }

    /// Stops reading and waits until the lines already read are answered, or until `deadline` (nanoseconds), at which it
    /// calls `abandon` and leaves them. Returns whether all are answered. `waiting` is called about once a second.
    func drain(until deadline: UInt64, waiting: () -> Void, abandon: () -> Void) -> Bool {
        for runner in runners { runner.interrupt() }
        var isComplete = true
        for runner in runners {
            while !runner.wait(until: min(deadline, Monotonic.nanoseconds &+ 1_000_000_000)) {
                guard Monotonic.nanoseconds < deadline else { break }
                waiting()
            }
            isComplete = isComplete && runner.hasEnded
        }
        if !isComplete {
            abandon()
            for runner in runners { runner.abandon() }
        }
        for runner in runners { keepUnfinished(runner, runner.close()) }
        return isComplete
    }

    /// Stores the beginning of a line whose end a stream had not delivered when its reading stopped.
    private func keepUnfinished(_ runner: SourceRunner, _ ending: LaneEnding?) {
        guard let ending, !ending.unfinished.isEmpty, runner.isStream else { return }
        do throws(UnderstudyError) {
            try UnfinishedLine.keep(ending.unfinished, of: runner.settings.name, in: factory.stateDirectory)
        } catch {
            daemon.log.report(error, what: "unfinished line not saved")
        }
    }
}
