import Cascade
import Configuration
import Diagnostics
import Logging
import Models
import Store
import Streams
import Synchronization

/// The daemon: it answers the lines of the configured sources and keeps the delivery guarantees, until it is stopped or
/// all sources have ended.
///
/// The calling thread is the control thread. It processes one request after another (`DaemonControl`), so starting,
/// reloading, swapping models and draining never overlap. The threads of the engine, the sources and the committer do
/// the work.
public final class Daemon: Sendable {
    /// The daemon's dependencies on its environment.
    public struct Surroundings: Sendable {
        /// Reads the configuration. Called at the start and at each reload.
        public var settings: @Sendable () throws(ConfigurationErrors) -> Settings
        public var supply: ModelSupply
        /// The program's version.
        public var version: String
        public var inherited: InheritedDescriptors
        public var manager: ServiceManager
        public var log: Logger

        public init(
            settings: @escaping @Sendable () throws(ConfigurationErrors) -> Settings, supply: ModelSupply,
            version: String, inherited: InheritedDescriptors, manager: ServiceManager, log: Logger
        ) {
            self.settings = settings
            self.supply = supply
            self.version = version
            self.inherited = inherited
            self.manager = manager
            self.log = log
        }
    }

    let surroundings: Surroundings
    package let control = DaemonControl()
    let metrics: DaemonMetrics
    let phases: PhaseRecord

    public init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
        metrics = DaemonMetrics(
            version: surroundings.version, flaws: LineFlaw.Kind.allCases.map(\.rawValue))
        phases = PhaseRecord()
    }

    /// Blocks the signals that the daemon handles. Must be called before any thread is started.
    public static func holdSignals() { DaemonSignals.hold() }

    /// Runs until the end. Returns when every line read has a durable answer.
    ///
    /// Throws `configuration` and the errors of models, state and sources if it can't start; `tryAgain` if lines
    /// already read could not be answered before the deadline of the drain.
    public func run() throws(UnderstudyError) {
        HeapMemory.limit()
        let settings: Settings
        do {
            settings = try surroundings.settings()
        } catch {
            throw error.summary
        }
        DaemonLogs.setLevel(settings.log.level.logger)
        DescriptorLimits.raise()
        let signals = try DaemonSignals.run(control)
        defer { signals.stop() }
        let work = try DaemonWork(settings, daemon: self)
        do throws(UnderstudyError) {
            try work.start()
        } catch {
            try? work.drain()
            throw error
        }
        announce(work)
        let failure = serve(work)
        phases.enter(.draining, message: failure?.message ?? "")
        surroundings.manager.stopping()
        log.info("draining: reading has stopped, lines already read are answered")
        try work.drain()
        if let failure { throw failure }
        log.info("stopped: all lines are answered")
    }

    var log: Logger { surroundings.log }

    /// Processes requests until the stop. Returns the failure that caused it; nil for a requested stop.
    private func serve(_ work: DaemonWork) -> UnderstudyError? {
        while true {
            switch control.next() {
            case .stop(let failure): return failure
            case .reload: reload(work)
            case .modelsChanged: swap(work)
            case .look: work.oversee()
            case .sourceEnded:
                if !work.collectEnded() { return work.failureOfLastSource }
            }
        }
    }

    private func announce(_ work: DaemonWork) {
        let labels = work.models.student.labels.count
        for finding in DescriptorLimits.findings(work.settings, labels: labels) { log.warning("\(finding)") }
        phases.enter(.ready)
        surroundings.manager.ready(status: work.statusLine())
        log.log(
            level: .notice, .ready, "ready, \(work.inWords): sources and sinks are ready",
            metadata: [
                "student": "\(work.models.student.version)", "teacher": "\(work.models.teacher?.version ?? "none")",
                "sources": "\(work.settings.sources.count)", "sinks": "\(work.settings.sinks.count)",
            ])
    }

    private func reload(_ work: DaemonWork) {
        phases.enter(.reloading)
        surroundings.manager.reloading()
        defer {
            phases.enter(.ready)
            surroundings.manager.ready(status: work.statusLine())
        }
        work.reopenSinks()
        let failure: UnderstudyError?
        do {
            try work.apply(try surroundings.settings())
            failure = nil
        } catch let errors as ConfigurationErrors {
            failure = errors.summary
        } catch {
            failure = error as? UnderstudyError
        }
        metrics.recordReload(succeeded: failure == nil)
        if let failure {
            phases.note(warning: "the last reload was refused: \(failure.message)")
            let place = failure.place.map { ": " + $0 } ?? ""
            log.report(
                failure, event: .reloadRefused, what: DaemonEvent.reloadRefused.words + place,
                metadata: ["kept": "the previous settings"])
        } else {
            phases.note(warning: nil)
            log.log(level: .notice, .reloaded, "reloaded: \(work.inWords)")
        }
    }

    private func swap(_ work: DaemonWork) {
        let before = work.models.student.version
        do throws(UnderstudyError) {
            let isOther = try work.swapModels()
            phases.note(refusedStudent: nil)
            if isOther {
                let student = work.models.student.version
                let words = "models swapped: \(student) replaces \(before) as the serving student"
                log.log(level: .notice, .modelsSwapped, "\(words)", metadata: ["student": "\(student)"])
            }
        } catch {
            metrics.recordFailedSwap()
            refuse(error, answering: work.models.student.version)
        }
    }

    /// Reports that the student to serve was refused: once in the log, and in the status while it lasts.
    func refuse(_ error: UnderstudyError, answering version: String) {
        let sentence =
            "The student to serve was refused, and \(version) serves instead: \(error). Promote another, or roll "
            + "back with 'understudy models rollback'."
        // A start checks twice: when it loads the models, and when it watches the link.
        guard phases.current.refusedStudent != sentence else { return }
        phases.note(refusedStudent: sentence)
        log.report(
            error, what: "swap refused, \(version) serves",
            metadata: ["kept": "the previous student", "student": "\(version)"])
    }
}

extension LogLevel {
    var logger: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
