import Configuration
import Streams
import Synchronization

/// A configured sink in use. It is released when no job in flight uses it, which may be after its removal from the
/// configuration.
package final class SinkTarget: Sendable {
    let name: String
    package let kind: OpenedSink
    private let whenFull: WhenFull
    let metrics: DaemonMetrics.SinkID
    private let retired = Atomic(false)
    /// Start of the current delivery, in nanoseconds; 0 if there is none.
    private let deliveringSince = Atomic<UInt64>(0)

    package init(name: String, kind: OpenedSink, whenFull: WhenFull, metrics: DaemonMetrics.SinkID) {
        self.name = name
        self.kind = kind
        self.whenFull = whenFull
        self.metrics = metrics
    }

    /// Whether records are dropped, and counted, if the sink can't take them.
    var drops: Bool { whenFull == .drop }

    /// Whether a new configuration has removed it. A flow then drops undeliverable records.
    var isRetired: Bool { retired.load(ordering: .relaxed) }

    /// Marks the sink as removed. It still takes answers in flight, but a flow is no longer waited for.
    func retire() {
        retired.store(true, ordering: .relaxed)
        interrupt()
    }

    /// Delivers to a flow, which may wait for its reader; see `waitingTime`.
    func deliver(
        _ bytes: UnsafeBufferPointer<UInt8>, records: Int, to sink: any FlowSink
    ) -> FlowOutcome {
        _ = deliveringSince.compareExchange(expected: 0, desired: Monotonic.nanoseconds, ordering: .relaxed)
        defer { deliveringSince.store(0, ordering: .relaxed) }
        return sink.deliver(bytes, records: records)
    }

    /// Duration of the current delivery, in nanoseconds; 0 if there is none.
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

/// The sinks of one source's answers, in the order of its routes, with the data for counting them.
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
