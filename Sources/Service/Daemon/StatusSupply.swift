import Cascade
import Configuration
import Diagnostics
import Store
import Streams

/// What the status page, the metrics and the status line are made from. May be asked from any thread.
struct StatusSupply: Sendable {
    private let metrics: DaemonMetrics
    private let engine: CascadeEngine
    private let outlet: Outlet
    private let phases: PhaseRecord

    init(_ work: DaemonWork) {
        metrics = work.daemon.metrics
        engine = work.engine
        outlet = work.outlet
        phases = work.daemon.phases
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

    var status: ServiceStatus {
        let entry = phases.current
        var warnings = [entry.warning, entry.stuck].compactMap { $0 }
        if let failure = outlet.failure { warnings.append("answers aren't committed: \(failure.message)") }
        if let obstacle = outlet.obstacle { warnings.append("answers wait: \(obstacle)") }
        return ServiceStatus(
            metrics.reading(gauges), phase: entry.phase, since: entry.since, message: entry.message,
            disagreements: outlet.recentDisagreements, warnings: warnings)
    }

    var prometheus: String { PrometheusText.render(metrics.reading(gauges).families) }

    /// Why the process doesn't do its work; nil while it does.
    var health: String? {
        if let stuck = phases.current.stuck { return stuck }
        return outlet.failure.map { "answers aren't committed: \($0.message)" }
    }

    /// For `systemctl status`.
    var line: String {
        let status = status
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
