import Configuration
import Streams
import Synchronization

/// One configured sink at work. Lives as long as a job on its way wants to go there, longer than its configuration.
package final class SinkTarget: Sendable {
    package enum Kind: Sendable {
        /// Its length is committed: exactly once.
        case file(FileSink)
        /// What it got is gone: at least once.
        case flow(any FlowSink)
    }

    let name: String
    package let kind: Kind
    /// Records are dropped, and counted, when the sink can't take them.
    let drops: Bool
    let metrics: DaemonMetrics.SinkID
    private let retired = Atomic(false)
    /// When the delivery under way began, in nanoseconds; 0: there is none.
    private let deliveringSince = Atomic<UInt64>(0)

    package init(name: String, kind: Kind, drops: Bool, metrics: DaemonMetrics.SinkID) {
        self.name = name
        self.kind = kind
        self.drops = drops
        self.metrics = metrics
    }

    /// Whether a new configuration is without it: a flow lets go of what it can't deliver.
    var isRetired: Bool { retired.load(ordering: .relaxed) }

    /// Answers on their way are still taken, but nobody waits for a flow any more.
    func retire() {
        retired.store(true, ordering: .relaxed)
        interrupt()
    }

    /// Hands over to a flow, which may wait for its reader; see `waitingTime`.
    func deliver(
        _ bytes: UnsafeBufferPointer<UInt8>, records: Int, to sink: any FlowSink
    ) -> FlowOutcome {
        _ = deliveringSince.compareExchange(expected: 0, desired: Monotonic.nanoseconds, ordering: .relaxed)
        defer { deliveringSince.store(0, ordering: .relaxed) }
        return sink.deliver(bytes, records: records)
    }

    /// How long the delivery under way has taken so far, in nanoseconds; 0: there is none.
    var waitingTime: UInt64 {
        let begin = deliveringSince.load(ordering: .relaxed)
        return begin == 0 ? 0 : Monotonic.nanoseconds &- begin
    }

    /// Ends all waiting of a flow.
    func interrupt() {
        if case .flow(let sink) = kind { sink.interrupt() }
    }

    func reopen() {
        if case .file(let sink) = kind { sink.reopen() }
    }
}

/// The sinks of one source's answers, in the order of its routes, and what is needed to count them.
final class SinkSet: Sendable {
    let targets: [SinkTarget]
    let deadLetter: SinkTarget?
    /// The student's labels.
    let labels: [String]
    let student: String
    let teacher: String?
    let labelMetrics: DaemonMetrics.LabelSet

    init(
        targets: [SinkTarget], deadLetter: SinkTarget?, labels: [String], student: String, teacher: String?,
        labelMetrics: DaemonMetrics.LabelSet
    ) {
        self.targets = targets
        self.deadLetter = deadLetter
        self.labels = labels
        self.student = student
        self.teacher = teacher
        self.labelMetrics = labelMetrics
    }
}
