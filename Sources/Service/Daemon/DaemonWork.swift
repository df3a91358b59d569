import Cascade
import Configuration
import Diagnostics
import Logging
import Models
import Store
import Streams

/// The parts of a running daemon, and the order in which they start, change and end. Used only by the control thread,
/// except for the parts that are `Sendable`.
final class DaemonWork {
    private(set) var settings: Settings {
        didSet { liveRedistill.withLock { $0 = settings.redistill } }
    }
    /// The settings in force, for threads that display them.
    let liveRedistill: LockedValue<RedistillSettings?>
    let daemon: Daemon
    let store: Store
    let outlet: Outlet
    let committer: Committer
    let engine: CascadeEngine
    let promotionMonitor: PromotionMonitor
    private let sinks: RunningSinks
    private let sources: RunningSources
    private let serving: ServingModels
    private let promotions: PromotionControl
    private var committerThread: WorkerThread?
    private var endpoint: StatusEndpoint?
    private var watchdog: WatchdogNotifier?

    /// Opens the state, truncates the outputs to their committed lengths, and loads and warms up the models. Reads no
    /// source.
    init(_ settings: Settings, daemon: Daemon) throws(UnderstudyError) {
        self.settings = settings
        liveRedistill = LockedValue(settings.redistill)
        self.daemon = daemon
        let log = daemon.log
        let report: @Sendable (UnderstudyError) -> Void = { log.report($0, level: .warning) }
        let store = try Store.open(directory: settings.state.directory) { error in
            log.report(error, event: .stateDamaged)
        }
        self.store = store
        let keeping = try Self.recoverSinks(settings, store, report: report)
        let metrics = daemon.metrics
        let control = daemon.control
        let outlet = Outlet { log.report($0, what: $0.code == .noSpace ? nil : "answers wait") }
        self.outlet = outlet
        let pruning = DisagreementPruning(store: store, settings: settings.disagreements)
        committer = Committer(
            outlet: outlet, interval: UInt64(settings.state.commitIntervalMilliseconds) * 1_000_000,
            prune: { () throws(UnderstudyError) in try pruning.prune() },
            look: { control.noteLook() },
            report: { log.report($0, what: $0.code == .noSpace ? nil : "not committed") },
            observe: { metrics.recordCommit(seconds: Double($0) / 1e9, succeeded: $1) },
            commit: { (all) throws(UnderstudyError) in try store.commit(all) })
        let begun = try ModelSet.begin(
            settings, supply: daemon.surroundings.supply,
            shadowFailed: {
                log.report($0, what: "shadow not loaded", metadata: ["kept": "the student, without a shadow"])
            },
            teacherFailed: { log.report($0, event: .circuitOpened) })
        if let refused = begun.refused { daemon.refuse(refused, answering: begun.set.models.student.version) }
        let sinkFactory = SinkFactory(
            metrics: metrics, register: { (row) throws(UnderstudyError) in try store.register(row) }, keeping: keeping,
            report: report)
        sinks = try RunningSinks(settings, factory: sinkFactory, outlet: outlet, daemon: daemon)
        engine = try CascadeEngine(
            options: settings.engineOptions, models: begun.set.models,
            observer: EngineObserver(metrics: metrics, log: log), report: { log.report($1, what: $0.rawValue) }
        )
        promotionMonitor = PromotionMonitor(store: store)
        promotions = PromotionControl(monitor: promotionMonitor, daemon: daemon)
        serving = ServingModels(begun.set, engine: engine, promotionMonitor: promotionMonitor, daemon: daemon)
        let sourceFactory = SourceFactory(
            stateDirectory: settings.state.directory, inherited: daemon.surroundings.inherited,
            checkpoints: { (source) throws(UnderstudyError) in try store.checkpoints(source: source) }, report: report)
        sources = RunningSources(
            factory: sourceFactory, sinks: sinks, promotionMonitor: promotionMonitor, outlet: outlet, engine: engine,
            daemon: daemon)
    }

    /// Truncates the outputs to their committed lengths. Returns what sinks need to keep bytes that aren't theirs.
    private static func recoverSinks(
        _ settings: Settings, _ store: Store, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> SinkKeeping {
        let known = try store.sinkLengths()
        var keeping = SinkKeeping(aside: SetAside(stateDirectory: settings.state.directory))
        do throws(UnderstudyError) {
            keeping.journal = try AppendJournal(directory: settings.state.directory)
        } catch {
            report(error)
        }
        let forms = SinkFactory.forms(settings)
        let lengths = FileSink.recover(known, keeping: keeping, forms: { forms[$0] ?? .any }, report: report)
        let gone = known.filter { row in !lengths.contains { $0.device == row.device && $0.inode == row.inode } }
        try store.commit(
            Commit(sinks: lengths, forgottenSinks: gone.map { ForgottenSink(device: $0.device, inode: $0.inode) }))
        keeping.journal?.reset()
        return keeping
    }

    var models: CascadeModels { serving.models }

    /// A summary of the settings in force, for the log.
    var inWords: String {
        func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
        let teacher = models.teacher.map { "teacher \($0.version)" } ?? "no teacher"
        return "student \(models.student.version), \(teacher), \(counted(settings.sources.count, "source")), "
            + counted(settings.sinks.count, "sink")
    }

    // MARK: Start

    /// Starts all threads, and with them the reading of the sources.
    func start() throws(UnderstudyError) {
        try engine.start()
        committerThread = try WorkerThread(name: "committer") { [committer] in committer.run() }
        try sources.start(settings.sources)
        serving.watchLinks(settings)
        if let address = settings.http?.listen {
            endpoint = try StatusEndpoint(address: address, work: StatusSupply(self))
        }
        watchdog = try WatchdogNotifier(self)
    }

    // MARK: Changes

    /// Reopens the output files at the next answer, because logrotate has moved them.
    func reopenSinks() { sinks.reopen() }

    /// Applies new settings. Steps that can fail come first; then changed sources and sinks are replaced, and the
    /// others continue.
    ///
    /// Throws the errors of the new settings; the previous ones are then still in force.
    func apply(_ new: Settings) throws(UnderstudyError) {
        let plan = ReloadPlan(from: settings, to: new)
        let newModels = try serving.load(plan, new)
        try ReloadPlan.checkLabels(of: new, (newModels?.models ?? models).student.labels)
        let newSinks = try sinks.renewed(plan, new)
        // A new source is opened before an old one is closed.
        let opened = try sources.open(added: plan.addedSources)

        for sentence in plan.restartNeeded { daemon.log.warning("restart needed: \(sentence)") }
        let old = settings
        settings = new
        if let newModels { serving.use(newModels) }
        sinks.exchange(newSinks) { new in
            for runner in sources.runners { runner.routing.replace(new) }
            engine.renewRoutes()
        }
        let change = try sources.change(plan, opened: opened, from: old.sources, to: new)
        settings.sources = change.sources
        DaemonLogs.setLevel(new.log.level.logger)
        serving.watchLinks(settings)
        if let failure = change.failure { throw failure }
    }

    /// Reloads student and shadow if their paths point to other directories. Returns whether the student changed.
    func swapModels() throws(UnderstudyError) -> Bool { try serving.swap(settings) }

    /// The periodic work of the control thread.
    func oversee() { promotions.look(settings, serving: models.student.version) }

    // MARK: End

    /// Closes the sources that have ended. Returns whether others are still read.
    func collectEnded() -> Bool {
        sources.collectEnded()
        return !sources.isEmpty
    }

    var failureOfLastSource: UnderstudyError? { sources.failureOfLast }

    /// Stops reading, answers the lines already read, commits, and ends all threads.
    ///
    /// Throws `tryAgain` if the time limit is exceeded. Unanswered lines of watched files and spooled streams are left
    /// to the next run; those of other streams are lost.
    func drain() throws(UnderstudyError) {
        let manager = daemon.surroundings.manager
        let allowed = UInt64(settings.shutdown.drainSeconds) * 1_000_000_000
        // If no commit is possible before a restart, waiting is useless.
        let deadline = Monotonic.nanoseconds &+ (outlet.isHopeless ? 0 : allowed)
        store.limitPatience(until: deadline)
        var isComplete = sources.drain(
            until: deadline, waiting: { manager.extendTimeout(by: .seconds(10)) },
            abandon: {
                sinks.interrupt()
                outlet.giveUp()
            })
        engine.stop()
        engine.join()
        if committerThread != nil, !outlet.flush(until: max(deadline, Monotonic.nanoseconds &+ 1_000_000_000)) {
            isComplete = false
            outlet.giveUp()
        }
        outlet.stop()
        committerThread?.join()
        // Without this mark the next start treats data after the committed lengths as uncommitted answers.
        if isComplete { try? store.settleSinks() }
        watchdog?.stop()
        endpoint?.stop()
        serving.stopWatching()
        try store.close()
        guard isComplete else {
            throw UnderstudyError(
                .tryAgain,
                "lines that had been read were not answered within shutdown.drain_seconds"
                    + " (\(settings.shutdown.drainSeconds)): a sink, the teacher or the state is stuck")
        }
    }
}

extension Settings {
    /// The limits of the engine.
    var engineOptions: CascadeOptions {
        var options = CascadeOptions()
        options.threads = cascade.threads ?? Processors.available
        options.teacherThreads = cascade.teacherThreads
        options.studentLines = cascade.batchLines
        options.teacherQueueLines = cascade.teacherQueueLines
        options.whenTeacherFull = cascade.whenTeacherFull
        options.teacherTimeout = UInt64(cascade.teacherTimeoutSeconds) * 1_000_000_000
        options.teacherRetry = UInt64(cascade.teacherRetrySeconds) * 1_000_000_000
        options.teacherBatchWait = UInt64(cascade.batchWaitMilliseconds) * 1_000_000
        return options
    }
}

/// Forwards the engine's events to the metrics and the log.
final class EngineObserver: CascadeObserver {
    private let metrics: DaemonMetrics
    private let log: Logger

    init(metrics: DaemonMetrics, log: Logger) {
        self.metrics = metrics
        self.log = log
    }

    func teacherPassed(lines: Int, nanoseconds: UInt64) {
        metrics.recordTeacherPass(lines: lines, seconds: Double(nanoseconds) / 1e9)
    }

    func circuitChanged(_ circuit: TeacherCircuit) {
        switch circuit.state {
        case .closed:
            metrics.setCircuit(.closed)
            log.log(level: .notice, .circuitClosed, "teacher recovered: the teacher answers again")
        case .probing:
            metrics.setCircuit(.halfOpen)
        case .open:
            metrics.setCircuit(.open)
            log.log(level: .error, .circuitOpened, "teacher failed: the teacher failed and is paused")
        }
    }
}
