import Cascade
import Configuration
import Diagnostics
import Glibc
import Store
import Streams

/// The data of the status page, the metrics and the status line. Thread-safe.
struct StatusSupply: Sendable {
    private let metrics: DaemonMetrics
    private let engine: CascadeEngine
    private let outlet: Outlet
    private let phases: PhaseRecord
    private let store: Store
    private let promotionMonitor: PromotionMonitor
    private let redistill: @Sendable () -> RedistillSettings?

    /// Length of the agreement history on the page, in hours.
    private static let hours = 48

    init(_ work: DaemonWork) {
        metrics = work.daemon.metrics
        engine = work.engine
        outlet = work.outlet
        phases = work.daemon.phases
        store = work.store
        promotionMonitor = work.promotionMonitor
        redistill = { [live = work.liveRedistill] in live.withLock { $0 } }
    }

    /// From the disagreement log, which outlives the process; nil: use the metrics.
    private var agreement: [AgreementBucket]? {
        let now = Int64(time(nil)) * 1_000_000
        guard let hours = try? store.auditAgreement(hours: Self.hours, now: now) else { return nil }
        return hours.filter { $0.agreement.asked > 0 }.map { hour in
            AgreementBucket(
                start: Double(hour.start) / 1e6, seconds: 3600, asked: hour.agreement.asked,
                agreed: hour.agreement.agreed)
        }
    }

    private var gauges: DaemonGauges {
        let depths = engine.depths
        let lag = outlet.lag
        var gauges = DaemonGauges()
        for lane in depths.lanes {
            gauges.pendingLines[lane.source, default: 0] += lane.pending
            gauges.jobsInFlight += lane.jobsInFlight
        }
        gauges.teacherQueueLines = depths.teacherQueue
        gauges.uncommittedRecords = lag.records
        gauges.checkpointLagSeconds = Double(lag.nanoseconds) / 1e9
        return gauges
    }

    var status: ServiceStatus { status(agreement: agreement) }

    private func status(agreement: [AgreementBucket]?) -> ServiceStatus {
        let entry = phases.current
        var warnings = [entry.warning, entry.refusedStudent, entry.stuck].compactMap { $0 }
        warnings += outlet.fullSinks + outlet.waitingSinks
        if let failure = outlet.failure { warnings.append("answers aren't committed: \(failure.message)") }
        let monitoring = promotionMonitor.reading(redistill())
        warnings += StatusWarnings.about(monitoring)
        var status = ServiceStatus(
            metrics.reading(gauges), phase: entry.phase, since: entry.since, message: entry.message,
            disagreements: outlet.recentDisagreements, warnings: warnings, agreement: agreement)
        status.oversight = monitoring
        return status
    }

    var prometheus: String {
        let reading = metrics.reading(gauges)
        let checks = AgreementTrend.total(ServiceStatus.agreement(reading))
        return PrometheusText.render(
            reading.families + promotionMonitor.reading(redistill()).families
                + [checks.family].filter { !$0.samples.isEmpty })
    }

    /// Why the process doesn't work; nil while it does.
    var health: String? {
        if let stuck = phases.current.stuck { return stuck }
        if let failure = outlet.failure { return "answers aren't committed: \(failure)" }
        return outlet.blockedSink.map { "lines wait for \($0)" }
    }

    /// The line for `systemctl status`. It is built every few seconds, so it doesn't read the state.
    var line: String {
        let status = status(agreement: [])
        let rate = NumberText.rate(status.totals.linesPerSecond)
        var parts = ["\(rate) lines/s", "\(NumberText.grouped(status.totals.answered)) answered"]
        if let share = status.teacher.deferralShare { parts.append("\(NumberText.percent(share)) deferred") }
        if !status.warnings.isEmpty { parts.append(status.warnings[0]) }
        return parts.joined(separator: ", ")
    }
}

extension DaemonWork {
    func statusLine() -> String { StatusSupply(self).line }
}

/// The status server of the daemon, at the configured address.
final class StatusEndpoint: Sendable {
    private let server: StatusServer

    init(address: ListenAddress, work: StatusSupply) throws(UnderstudyError) {
        server = try StatusServer(
            address: try StatusAddress(address.description),
            routes: StatusRoutes(
                status: { work.status }, metrics: { work.prometheus }, health: { work.health }))
        try server.start()
    }

    /// Returns when the server's threads have ended.
    func stop() { server.stop() }
}
