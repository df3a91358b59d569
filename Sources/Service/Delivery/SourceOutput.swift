import Bytes
import Cascade
import Diagnostics
import Models
import Streams
import Synchronization

/// Delivers the finished jobs of one source to its sinks.
package final class SourceOutput: LaneOutput {
    private let outlet: Outlet
    private let metrics: DaemonMetrics
    private let drift: DriftMonitor
    private let shadow: ShadowCounts
    private let source: DaemonMetrics.SourceID
    /// Called when the reader of standard output has closed it.
    private let outputClosed: @Sendable () -> Void
    private let isAbandoned = Atomic(false)

    package init(
        outlet: Outlet, metrics: DaemonMetrics, drift: DriftMonitor = DriftMonitor(),
        shadow: ShadowCounts = ShadowCounts(),
        source: DaemonMetrics.SourceID, outputClosed: @escaping @Sendable () -> Void
    ) {
        self.outlet = outlet
        self.metrics = metrics
        self.drift = drift
        self.shadow = shadow
        self.source = source
        self.outputClosed = outputClosed
    }

    package func deliver(_ job: CascadeJob) -> Bool {
        guard let sinks = job.routes?.context as? SinkSet else { return true }
        guard deliverFlows(job, sinks) else { return false }
        let isWanted = { !self.isAbandoned.load(ordering: .relaxed) }
        guard let full = outlet.keep(job, sinks, while: isWanted) else { return false }
        count(job, sinks, full)
        return true
    }

    /// Stops storing: the lane has been abandoned, and another may have replaced it.
    package func abandon() {
        outlet.endWaiting { isAbandoned.store(true, ordering: .relaxed) }
    }

    private func deliverFlows(_ job: CascadeJob, _ sinks: SinkSet) -> Bool {
        guard let routes = job.routes else { return true }
        for (index, target) in sinks.targets.enumerated() {
            guard case .flow(let sink) = target.kind else { continue }
            let buffer = routes.firstBuffer[index]
            let (bytes, records) = (job.outputs[buffer].bytes, job.outputRecords[buffer])
            guard records > 0 else { continue }
            switch target.deliver(bytes, records: records, to: sink) {
            case .delivered:
                metrics.record(target.metrics, SinkMetrics(records: records, bytes: bytes.count))
            case .dropped:
                metrics.record(target.metrics, SinkMetrics(dropped: records))
            case .interrupted:
                guard target.isRetired else { return false }
                metrics.record(target.metrics, SinkMetrics(dropped: records))
            case .closed:
                outputClosed()
                return false
            }
        }
        return true
    }

    /// - Parameter full: names of the sinks that dropped their records.
    private func count(_ job: CascadeJob, _ sinks: SinkSet, _ full: Set<String>) {
        if let routes = job.routes {
            for (index, target) in sinks.targets.enumerated() {
                guard case .file = target.kind else { continue }
                let first = routes.firstBuffer[index]
                let count = routes.routes[index].splitsByLabel ? sinks.labels.count : 1
                var (records, bytes) = (0, 0)
                for buffer in first..<(first + count) {
                    records += job.outputRecords[buffer]
                    bytes += job.outputs[buffer].count
                }
                guard records > 0 else { continue }
                metrics.record(
                    target.metrics,
                    full.contains(target.name)
                        ? SinkMetrics(dropped: records) : SinkMetrics(records: records, bytes: bytes))
            }
        }
        if let target = sinks.deadLetter, job.refusalRecords > 0 {
            metrics.record(target.metrics, SinkMetrics(records: job.refusalRecords, bytes: job.refusals.count))
        }
        metrics.record(jobMetrics(job, sinks))
        drift.record(job.tally, student: sinks.student)
        shadow.record(job.tally.shadow, student: sinks.student)
        let age = Monotonic.nanoseconds &- job.readAt
        metrics.recordDelivery(lines: job.tally.answered, seconds: Double(age) / 1e9)
    }

    private func jobMetrics(_ job: CascadeJob, _ sinks: SinkSet) -> JobMetrics {
        let tally = job.tally
        var figures = JobMetrics(source: source, labels: sinks.labelMetrics, flaws: tally.flaws.count)
        figures.predictions = tally.answers
        figures.flaws = tally.flaws
        figures.blank = tally.blank
        figures.dead = sinks.deadLetter == nil ? 0 : job.refusalRecords
        if !job.isRest, let first = job.records.first { figures.bytes = Int(job.end - first.offset) }
        figures.byTeacher = tally.byTeacher
        figures.deferred = tally.deferred
        figures.audited = tally.audited
        figures.skippedFull = tally.skips[CascadeTally.Skip.full.index]
        figures.skippedBroken = tally.skips[CascadeTally.Skip.broken.index]
        figures.skippedTimeout = tally.skips[CascadeTally.Skip.timeout.index]
        figures.deferredDisagreements = tally.disagreements
        figures.auditAnswered = tally.audited
        figures.auditAgreed = tally.auditedAlike
        if !job.isRest {
            figures.studentLines = job.lines.count
            figures.studentSeconds = Double(job.studentTime) / 1e9
        }
        figures.setConfidences(tally.confidences)
        return figures
    }
}
