import Cascade
import Configuration
import Diagnostics
import Glibc
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
        // A new source is tried before anything of the old is given up.
        var opened: [(SourceSettings, any StreamSource)] = []
        for source in plan.addedSources { opened.append((source, try sources.make(source))) }

        for sentence in plan.restartNeeded { daemon.log.warning("\(sentence)") }
        let old = settings
        settings = new
        if let newSet { use(newSet) }
        exchangeSinks(newSinks)
        retire(runners.filter { plan.removedSources.contains($0.settings.name) })
        for (settings, source) in opened { try run(settings, source) }
        for source in plan.changedSources { try restart(source, insteadOf: old.sources.first { $0.readsWhere(source) }) }
        DaemonLogs.setLevel(new.logLevel.logger)
        try watchLink()
    }

    /// Begins a source with its new settings; if they can't be had, it goes on with the old ones.
    private func restart(_ new: SourceSettings, insteadOf old: SourceSettings?) throws(UnderstudyError) {
        do throws(UnderstudyError) {
            try run(new, try sources.make(new))
        } catch {
            if let old { try run(old, try sources.make(old)) }
            throw error
        }
    }

    /// Puts other sinks in force from the next job on. Sinks that leave have some time to take what is under way; a flow
    /// that doesn't by then is no longer waited for.
    private func exchangeSinks(_ new: SinkRouting.Sinks) {
        struct Leaving {
            weak var target: SinkTarget?
        }
        let leaving = sinks.wired.map(\.target).filter { old in !new.wired.contains { $0.target === old } }
            .map { Leaving(target: $0) }
        sinks = new
        for runner in runners { runner.routing.replace(new) }
        engine.renewRoutes()
        // Jobs hold their sinks: when the last job that began with one is delivered, it is gone.
        let deadline = Monotonic.nanoseconds &+ Self.farewell
        while leaving.contains(where: { $0.target != nil }), Monotonic.nanoseconds < deadline { usleep(10_000) }
        for sink in leaving { sink.target?.retire() }
        let names = new.wired.map(\.target.name) + [SinkFactory.deadLetterName]
        outlet.monitor.withLock { state in state.full = state.full.filter { names.contains($0.key) } }
    }

    /// How long a leaving sink may take, in nanoseconds.
    private static let farewell: UInt64 = 2_000_000_000

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

    /// Ends sources that the new settings don't have, or have otherwise; what was read of them is answered first.
    private func retire(_ leaving: [SourceRunner]) {
        for runner in leaving { runner.interrupt() }
        let allowed = UInt64(settings.shutdown.drainSeconds) * 1_000_000_000
        let deadline = Monotonic.nanoseconds &+ allowed
        for runner in leaving {
            if !runner.wait(until: deadline) {
                daemon.log.warning(
                    "a source could not be drained in time", metadata: ["source": "\(runner.settings.name)"])
                runner.abandon()
            }
            keepUnfinished(runner, runner.close())
        }
        guard !leaving.isEmpty else { return }
        outlet.flush()
        for runner in leaving { outlet.remove(runner.source) }
        runners.removeAll { runner in leaving.contains { $0 === runner } }
    }
}
