import Cascade
import Configuration
import Diagnostics
import Glibc
import Logging
import Models
import Store
import Streams
import Synchronization

/// The parts of a running daemon. Used only by the control thread, except for the parts that are `Sendable`.
final class DaemonWork {
    var settings: Settings {
        didSet { liveRedistill.withLock { $0 = settings.redistill } }
    }
    /// The settings in force, for threads that display them.
    let liveRedistill: LockedValue<RedistillSettings?>
    let daemon: Daemon
    let store: Store
    let outlet: Outlet
    let committer: Committer
    let engine: CascadeEngine
    let sources: SourceFactory
    let sinkFactory: SinkFactory
    var modelSet: ModelSet
    var sinks: SinkRouting.Sinks
    var runners: [SourceRunner] = []
    /// Those of `runners` that could not be drained in time. They end when their sinks have taken the rest.
    var leaving: [SourceRunner] = []
    /// Sources that start when one of `leaving` has ended.
    var delayed: [SourceSettings] = []
    var failureOfLastSource: UnderstudyError?
    private(set) var committerThread: WorkerThread?
    var link: LinkWatch?
    var shadowLink: LinkWatch?
    private(set) var endpoint: StatusEndpoint?
    let promotionMonitor: PromotionMonitor
    private(set) var watchdog: WatchdogNotifier?

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
        let metrics = daemon.metrics
        let control = daemon.control
        promotionMonitor = PromotionMonitor(store: store)
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
        sources = SourceFactory(
            stateDirectory: settings.state.directory, inherited: daemon.surroundings.inherited,
            checkpoints: { (source) throws(UnderstudyError) in try store.checkpoints(source: source) }, report: report)
        sinkFactory = SinkFactory(
            metrics: metrics, register: { (row) throws(UnderstudyError) in try store.register(row) }, keeping: keeping,
            report: report)
        let begun = try ModelSet.begin(
            settings, supply: daemon.surroundings.supply,
            shadowFailed: {
                log.report($0, what: "shadow not loaded", metadata: ["kept": "the student without a shadow"])
            },
            teacherFailed: { log.report($0, event: .circuitOpened) })
        modelSet = begun.set
        if let refused = begun.refused { daemon.refuse(refused, answering: begun.set.models.student.version) }
        sinks = try DaemonWork.makeSinks(settings, sinkFactory)
        outlet.watch(sinks.wired.map(\.target))
        engine = try CascadeEngine(
            options: settings.engineOptions, models: modelSet.models,
            observer: EngineObserver(metrics: metrics, log: log), report: { log.report($0, what: "teacher not loaded") }
        )
        metrics.setModels(student: modelSet.studentInfo, teacher: modelSet.teacherInfo)
        beginDrift()
    }

    /// Restarts the drift monitor with the reference of a new student.
    func beginDrift() {
        let student = modelSet.models.student
        promotionMonitor.drift.begin(
            student: student.version, labels: student.labels, reference: modelSet.lineage?.reference)
        beginShadow()
    }

    func beginShadow() {
        let student = modelSet.models.student
        let shadow = modelSet.models.shadow
        promotionMonitor.shadow.begin(
            shadow: shadow?.classifier.version, share: shadow?.share ?? 0, student: student.version)
    }

    var models: CascadeModels { modelSet.models }

    /// A summary of the settings in force, for the log.
    var inWords: String {
        func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
        let teacher = models.teacher.map { "teacher \($0.version)" } ?? "no teacher"
        return "student \(models.student.version), \(teacher), \(counted(settings.sources.count, "source")), "
            + counted(settings.sinks.count, "sink")
    }

    var hasSources: Bool { !runners.isEmpty }

    private static func makeSinks(
        _ settings: Settings, _ factory: SinkFactory
    ) throws(UnderstudyError) -> SinkRouting.Sinks {
        var wired: [SinkRouting.Wired] = []
        for sink in settings.sinks {
            wired.append(SinkRouting.Wired(settings: sink, target: try factory.make(sink)))
        }
        var deadLetter: SinkTarget?
        if let letter = settings.deadLetter { deadLetter = try factory.make(letter) }
        return SinkRouting.Sinks(wired: wired, deadLetter: deadLetter)
    }

    // MARK: Start

    /// Starts all threads, and with them the reading of the sources.
    func start() throws(UnderstudyError) {
        try engine.start()
        committerThread = try WorkerThread(name: "committer") { [committer] in committer.run() }
        var opened: [(SourceSettings, any StreamSource)] = []
        for source in settings.sources { opened.append((source, try sources.make(source))) }
        for entry in sources.inherited.unclaimed {
            daemon.log.warning(
                "descriptor left unused: no source reads what the socket unit handed over",
                metadata: ["name": "\(entry.name)"])
        }
        for (settings, source) in opened { try run(settings, source) }
        try watchLink()
        watchShadow()
        if let address = settings.http {
            endpoint = try StatusEndpoint(address: address, work: StatusSupply(self))
        }
        watchdog = try WatchdogNotifier(self)
    }

    func run(_ settings: SourceSettings, _ source: any StreamSource) throws(UnderstudyError) {
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
            source: settings.name, field: settings.input.form.field, metrics: daemon.metrics, sinks: sinks)
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

    /// Watches the student's path if it can change.
    func watchLink() throws(UnderstudyError) {
        link?.stop()
        link = nil
        guard let path = settings.followedStudent else { return }
        if settings.redistill != nil { settings.makeRegistry() }
        let control = daemon.control
        do throws(UnderstudyError) {
            link = try LinkWatch(path: path) { control.noteModels() }
            // It may have changed since the student was loaded.
            if let target = realpath(path, nil) {
                defer { free(target) }
                if String(cString: target) != modelSet.studentDirectory { control.noteModels() }
            }
        } catch {
            daemon.log.report(error, level: .warning, what: "student's link not followed")
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
        options.whenTeacherFull = cascade.whenTeacherFull == .block ? .block : .answerWithStudent
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
