import Cascade
import Configuration
import Diagnostics
import Logging
import Models
import Streams

/// What changes while the daemon runs.
extension DaemonWork {
    /// Output files are opened anew with the next answer: logrotate has moved them.
    func reopenSinks() {
        outlet.monitor.withLock { _ in
            for wired in sinks.wired { wired.target.reopen() }
            sinks.deadLetter?.reopen()
        }
    }

    /// Takes up new settings. What can fail is done first; then sources and sinks that have changed are replaced, and
    /// the others go on.
    ///
    /// Throws what is wrong with the new settings; those before stay in force then.
    func apply(_ new: Settings) throws(UnderstudyError) {
        let plan = ReloadPlan(from: settings, to: new)
        var newSet: ModelSet?
        if plan.modelsChange {
            let kept = plan.teacherChanges ? nil : modelSet.models.teacher
            let loaded = try ModelSet.load(new, supply: daemon.surroundings.supply, teacher: kept)
            try loaded.warm(teacherMayFail: new.cascade.whenTeacherFull == .answerWithStudent) {
                daemon.log.report($0, event: .circuitOpened)
            }
            newSet = loaded
        }
        try ReloadPlan.checkLabels(of: new, (newSet ?? modelSet).models.student.labels)
        let newSinks = try renewed(new, plan)
        // A new source's path is tried before anything of the old is given up.
        let added = try open(plan.addedSources)
        let retired = retire(plan.removedSources)
        // What waits in a pipe stays there as long as somebody holds it open: the old source, until the new one does.
        defer { withExtendedLifetime(retired) {} }
        let changed: Opened
        do throws(UnderstudyError) {
            changed = try open(plan.changedSources)
        } catch {
            resume(retired)
            throw error
        }

        for sentence in plan.restartNeeded { daemon.log.warning("\(sentence)") }
        let oldSinks = sinks
        sinks = newSinks
        for runner in runners { runner.routing.replace(newSinks) }
        settings = new
        if let newSet { use(newSet) } else { engine.renewRoutes() }
        for wired in oldSinks.wired where !newSinks.wired.contains(where: { $0.target === wired.target }) {
            wired.target.retire()
        }
        delayed = delayed.filter { new.sources.contains($0) } + added.delayed + changed.delayed
        for (settings, source) in added.ready + changed.ready { try run(settings, source) }
        DaemonLogs.setLevel(new.logLevel.logger)
        try watchLink()
    }

    /// Loads the student anew if its path leads somewhere else; whether it did.
    func swapModels() throws(UnderstudyError) -> Bool {
        let loaded = try ModelSet.load(
            settings, supply: daemon.surroundings.supply, teacher: modelSet.models.teacher)
        guard loaded.studentDirectory != modelSet.studentDirectory else { return false }
        try ReloadPlan.checkLabels(of: settings, loaded.models.student.labels)
        try loaded.warm(teacherMayFail: true) { daemon.log.report($0, level: .warning) }
        CrashPoint.swapping.pass()
        use(loaded)
        return true
    }

    private func use(_ loaded: ModelSet) {
        modelSet = loaded
        engine.replaceModels(loaded.models)
        daemon.metrics.recordSwap(student: loaded.studentInfo, teacher: loaded.teacherInfo)
    }

    /// The new settings' sinks: those that stay the same are kept as they are.
    private func renewed(_ new: Settings, _ plan: ReloadPlan) throws(UnderstudyError) -> SinkRouting.Sinks {
        var wired: [SinkRouting.Wired] = []
        for sink in new.sinks {
            if let old = sinks.wired.first(where: { $0.settings.isSamePlace(as: sink) }) {
                wired.append(SinkRouting.Wired(settings: sink, target: old.target))
            } else {
                wired.append(SinkRouting.Wired(settings: sink, target: try sinkFactory.make(sink)))
            }
        }
        var deadLetter = sinks.deadLetter
        if new.deadLetter != settings.deadLetter {
            deadLetter = nil
            if let letter = new.deadLetter { deadLetter = try sinkFactory.make(letter) }
        }
        return SinkRouting.Sinks(wired: wired, deadLetter: deadLetter)
    }

    // MARK: Sources

    /// Sources to begin.
    private struct Opened {
        var ready: [(SourceSettings, any StreamSource)] = []
        /// Those whose name or place a source still has that is about to end.
        var delayed: [SourceSettings] = []
    }

    private func open(_ wanted: [SourceSettings]) throws(UnderstudyError) -> Opened {
        var opened = Opened()
        for source in wanted {
            if isInUse(source) {
                opened.delayed.append(source)
            } else {
                opened.ready.append((source, try sources.make(source)))
            }
        }
        return opened
    }

    private func isInUse(_ source: SourceSettings) -> Bool {
        leaving.contains { runner in
            runner.settings.name == source.name || source.path != nil && runner.settings.path == source.path
        }
    }

    /// Starts the sources that nothing stands in the way of any more.
    func startDelayed() {
        let ready = delayed.filter { !isInUse($0) }
        delayed.removeAll { ready.contains($0) }
        for source in ready { start(source) }
    }

    /// Puts sources in force again that `retire` has ended.
    private func resume(_ retired: [SourceRunner]) {
        for runner in retired {
            if isInUse(runner.settings) { delayed.append(runner.settings) } else { start(runner.settings) }
        }
    }

    private func start(_ source: SourceSettings) {
        do throws(UnderstudyError) {
            try run(source, try sources.make(source))
        } catch {
            daemon.log.report(error, metadata: ["source": "\(source.name)"])
            daemon.phases.note(warning: "source \(source.name) has failed: \(error.message)")
        }
    }

    /// Ends sources that the new settings don't have, or have otherwise; what was read of them is answered first. Gives
    /// those that it has told to end.
    ///
    /// One whose lines a sink doesn't take in time is left to end by itself, so that none is lost and the others go on.
    private func retire(_ names: [String]) -> [SourceRunner] {
        let retired = runners.filter { runner in
            names.contains(runner.settings.name) && !leaving.contains { $0 === runner }
        }
        for runner in retired { runner.interrupt() }
        let allowed = UInt64(settings.shutdown.drainSeconds) * 1_000_000_000
        let deadline = Monotonic.nanoseconds &+ allowed
        var ended: [SourceRunner] = []
        for runner in retired {
            guard runner.wait(until: deadline) else {
                daemon.log.warning(
                    "a source that was to end has lines that a sink doesn't take; it ends when they are taken",
                    metadata: ["source": "\(runner.settings.name)"])
                leaving.append(runner)
                continue
            }
            keepUnfinished(runner, runner.close())
            ended.append(runner)
        }
        guard !ended.isEmpty else { return retired }
        outlet.flush()
        for runner in ended { outlet.remove(runner.source) }
        runners.removeAll { runner in ended.contains { $0 === runner } }
        return retired
    }
}
