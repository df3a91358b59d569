import Cascade
import Configuration
import Diagnostics
import Glibc
import Logging
import Models
import Streams

/// Changes while the daemon runs: settings, sinks and models.
extension DaemonWork {
    /// Reopens the output files at the next answer, because logrotate has moved them.
    func reopenSinks() {
        outlet.monitor.withLock { _ in
            for wired in sinks.wired { wired.target.reopen() }
            sinks.deadLetter?.reopen()
        }
    }

    /// Applies new settings. Steps that can fail come first; then changed sources and sinks are replaced, and the
    /// others continue.
    ///
    /// Throws the errors of the new settings; the previous ones are then still in force.
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
        let newSinks = try renewed(new)
        // A new source is opened before an old one is closed.
        let added = try open(plan.addedSources)

        for sentence in plan.restartNeeded { daemon.log.warning("restart needed: \(sentence)") }
        let old = settings
        settings = new
        if let newSet { use(newSet) }
        exchangeSinks(newSinks)
        let retired = try retire(plan.removedSources)
        // A pipe keeps its contents only while it is open. The old source holds it open until the new one does.
        defer { withExtendedLifetime(retired) {} }
        delayed = delayed.filter { new.sources.contains($0) } + added.delayed
        var failure: UnderstudyError?
        for (settings, source) in added.ready {
            do throws(UnderstudyError) { try run(settings, source) } catch {
                failure = failure ?? error
                replace(settings, by: nil)
            }
        }
        for source in plan.changedSources {
            if isInUse(source) {
                delayed.append(source)
                continue
            }
            do throws(UnderstudyError) { try run(source, try sources.make(source)) } catch {
                failure = failure ?? error
                replace(source, by: old.sources.first { $0.readsWhere(source) })
            }
        }
        DaemonLogs.setLevel(new.logLevel.logger)
        try watchLink()
        watchShadow()
        if let failure { throw failure }
    }

    /// Restores the previous source in place of one that could not be started. The next reload tries again.
    private func replace(_ failed: SourceSettings, by before: SourceSettings?) {
        settings.sources.removeAll { $0.name == failed.name }
        guard let before else { return }
        do throws(UnderstudyError) {
            try run(before, try sources.make(before))
            settings.sources.append(before)
        } catch {
            daemon.log.report(
                error, what: "source \(before.name) not started", metadata: ["source": "\(before.name)"])
        }
    }

    /// Replaces the sinks for all following jobs. Removed sinks get some time for lines in flight; afterwards a flow is
    /// no longer waited for.
    private func exchangeSinks(_ new: SinkRouting.Sinks) {
        struct Leaving {
            weak var target: SinkTarget?
        }
        let leaving = sinks.wired.map(\.target).filter { old in !new.wired.contains { $0.target === old } }
            .map { Leaving(target: $0) }
        sinks = new
        outlet.watch(new.wired.map(\.target))
        for runner in runners { runner.routing.replace(new) }
        engine.renewRoutes()
        // Jobs retain their sinks. A sink is released with the last job that uses it.
        let deadline = Monotonic.nanoseconds &+ Self.farewell
        while leaving.contains(where: { $0.target != nil }), Monotonic.nanoseconds < deadline { usleep(10_000) }
        for sink in leaving { sink.target?.retire() }
        let names = new.wired.map(\.target.name) + [SinkFactory.deadLetterName]
        outlet.monitor.withLock { state in state.full = state.full.filter { names.contains($0.key) } }
    }

    /// Time that a removed sink gets, in nanoseconds.
    private static let farewell: UInt64 = 2_000_000_000

    /// Reloads student and shadow if their paths point to other directories. Returns whether the student changed.
    func swapModels() throws(UnderstudyError) -> Bool {
        let log = daemon.log
        let loaded = try ModelSet.load(
            settings, supply: daemon.surroundings.supply, teacher: modelSet.models.teacher
        ) { log.report($0, what: "shadow not loaded", metadata: ["kept": "the student without a shadow"]) }
        let isOther = loaded.studentDirectory != modelSet.studentDirectory
        guard isOther || loaded.shadowDirectory != modelSet.shadowDirectory else { return false }
        try ReloadPlan.checkLabels(of: settings, loaded.models.student.labels)
        try loaded.warm(teacherMayFail: true) {
            daemon.log.report($0, level: .warning, what: "teacher not loaded")
        }
        CrashPoint.swapping.pass()
        guard isOther else {
            // The student is the same, so its drift and promotion monitoring continues.
            modelSet = loaded
            engine.replaceModels(loaded.models)
            beginShadow()
            return false
        }
        use(loaded)
        return true
    }

    private func use(_ loaded: ModelSet) {
        modelSet = loaded
        daemon.phases.note(refusedStudent: nil)
        engine.replaceModels(loaded.models)
        beginDrift()
        daemon.metrics.recordSwap(student: loaded.studentInfo, teacher: loaded.teacherInfo)
    }

    /// Returns the sinks of the new settings. Unchanged sinks are reused.
    private func renewed(_ new: Settings) throws(UnderstudyError) -> SinkRouting.Sinks {
        var wired: [SinkRouting.Wired] = []
        for sink in new.sinks {
            if let old = sinks.wired.first(where: { $0.settings.isSamePlace(as: sink) }) {
                wired.append(SinkRouting.Wired(settings: sink, target: old.target))
            } else if let target = sameFile(sink) {
                wired.append(SinkRouting.Wired(settings: sink, target: target))
            } else {
                wired.append(SinkRouting.Wired(settings: sink, target: try sinkFactory.make(sink)))
            }
        }
        var deadLetter = sinks.deadLetter
        if new.deadLetter?.path != settings.deadLetter?.path {
            deadLetter = nil
            if let letter = new.deadLetter { deadLetter = try sinkFactory.make(letter) }
        }
        return SinkRouting.Sinks(wired: wired, deadLetter: deadLetter)
    }

    /// Returns a sink that writes to the file of an existing sink and shares its file object. Two objects that account
    /// for the length of one file would both be wrong.
    private func sameFile(_ sink: SinkSettings) -> SinkTarget? {
        guard case .file(let new, _) = sink.kind else { return nil }
        for old in sinks.wired {
            guard case .file(let file, _) = old.settings.kind, file.path == new.path else { continue }
            if file != new {
                daemon.log.warning(
                    "restart needed: permissions and sync of a file in use change at the next restart",
                    metadata: ["sink": "\(sink.name)"])
            }
            return SinkTarget(
                name: sink.name, kind: old.target.kind, drops: sink.whenFull == .drop,
                metrics: daemon.metrics.sink(sink.name))
        }
        return nil
    }
}
