/// All counters, as a value: a reading is a copy of it.
struct MetricsState: Sendable {
    /// Counters of a source's lines by outcome.
    struct Source: Sendable {
        let name: String
        var lines = 0
        var answered = 0
        var blank = 0
        var flaws: [Int]
        var dead = 0
        var bytes = 0
        var pace = MetricsState.pace()
    }

    struct Sink: Sendable {
        let name: String
        var totals = SinkMetrics()
        var pace = MetricsState.pace()
        var droppedPace = MetricsState.pace()
    }

    /// The last minute in seconds, and the incomplete second.
    static func pace() -> TimeBuckets { TimeBuckets(seconds: 1, count: 61) }

    var sources: [Source] = []
    var sinks: [Sink] = []
    var labels: [String] = []
    var predictions: [Int] = []
    var byTeacher = 0
    var deferred = 0
    var audited = 0
    var skippedFull = 0
    var skippedBroken = 0
    var skippedTimeout = 0
    var deferredDisagreements = 0
    var auditAnswered = 0
    var auditAgreed = 0
    var studentBatchLines = Histogram(bounds: Histogram.linesBounds)
    var studentSeconds = Histogram(bounds: Histogram.secondsBounds)
    var teacherBatchLines = Histogram(bounds: Histogram.linesBounds)
    var teacherSeconds = Histogram(bounds: Histogram.secondsBounds)
    var lineLatency = Histogram(bounds: Histogram.secondsBounds)
    var confidence = Histogram(bounds: Histogram.confidenceBounds)
    var commits = 0
    var failedCommits = 0
    var commitSeconds = Histogram(bounds: Histogram.secondsBounds)
    var student: ModelInfo?
    var teacher: ModelInfo?
    var swaps = 0
    var failedSwaps = 0
    var reloads = 0
    var failedReloads = 0
    /// The start counts as a reload: a running daemon has loaded a configuration.
    var lastReloadSucceeded = true
    /// Seconds since 1970; nil: no reload since the start.
    var lastReloadSuccess: Double?
    var circuit = CircuitState.closed
    /// By the new state.
    var transitions = [Int](repeating: 0, count: CircuitState.allCases.count)

    var answeredPace = MetricsState.pace()
    var deferredPace = MetricsState.pace()
    /// Ten minutes in steps of ten seconds, for the page's chart.
    var recentLines = TimeBuckets(seconds: 10, count: 61)
    /// Two days by hours.
    var auditAnsweredByHour = TimeBuckets(seconds: 3600, count: 48)
    var auditAgreedByHour = TimeBuckets(seconds: 3600, count: 48)
}

/// The counts that one finished job, a run of consecutive lines of one source, adds with `DaemonMetrics.record(_:)`.
public struct JobMetrics: Sendable {
    /// Number of equal bins of the confidence histogram, from 0 to 1.
    public static let confidenceBins = 20

    public let source: DaemonMetrics.SourceID
    public let labels: DaemonMetrics.LabelSet

    /// Answered lines, by the answer's index in `labels`.
    public var predictions: [Int]
    /// Lines without text, which are not answered.
    public var blank = 0
    /// Refused lines, by the index of the flaw among the names given to `DaemonMetrics`.
    public var flaws: [Int]
    /// Refused lines written to the dead-letter sink.
    public var dead = 0
    /// Bytes of these lines, including line ends.
    public var bytes = 0
    /// Answered lines with the teacher's answer.
    public var byTeacher = 0
    /// Lines deferred to the teacher because the student was unsure.
    public var deferred = 0
    /// Lines of a sure student selected for an audit.
    public var audited = 0
    /// Lines for the teacher without an answer of it: its queue was full, it failed, or it was too slow.
    public var skippedFull = 0
    public var skippedBroken = 0
    public var skippedTimeout = 0
    /// Deferred lines to which the teacher gave another label.
    public var deferredDisagreements = 0
    /// Audited lines that the teacher answered, and those of them with the same label.
    public var auditAnswered = 0
    public var auditAgreed = 0
    /// Lines in the student's pass, and its duration in seconds; 0 lines: there was no pass.
    public var studentLines = 0
    public var studentSeconds = 0.0
    /// The student's confidences, by bin.
    public private(set) var confidences: [Int]
    public private(set) var confidenceSum = 0.0

    public init(source: DaemonMetrics.SourceID, labels: DaemonMetrics.LabelSet, flaws: Int) {
        self.source = source
        self.labels = labels
        self.flaws = [Int](repeating: 0, count: flaws)
        predictions = [Int](repeating: 0, count: labels.count)
        confidences = [Int](repeating: 0, count: Self.confidenceBins)
    }

    public var answered: Int { predictions.reduce(0, +) }
    public var refused: Int { flaws.reduce(0, +) }
    public var lines: Int { answered + blank + refused }

    /// Sets confidences counted by bin. Their sum is then known to within half a bin per value.
    public mutating func setConfidences(_ counts: [Int]) {
        confidences = counts
        confidenceSum = 0
        for (bin, count) in counts.enumerated() {
            confidenceSum += Double(count) * (Double(bin) + 0.5) / Double(Self.confidenceBins)
        }
    }
}

/// A sink's activity since its last record.
public struct SinkMetrics: Sendable, Equatable {
    public var records: Int
    public var bytes: Int
    /// Records that a full sink dropped.
    public var dropped: Int

    public init(records: Int = 0, bytes: Int = 0, dropped: Int = 0) {
        self.records = records
        self.bytes = bytes
        self.dropped = dropped
    }
}

/// The identity of a loaded model.
public struct ModelInfo: Sendable, Equatable, Codable {
    public var version: String
    /// Fingerprint of the model's files; nil if it wasn't computed.
    public var fingerprint: String?
    /// Time since which it answers, in seconds since 1970.
    public var loadedAt: Double

    /// The first 12 hexadecimal digits, which identify a fingerprint; empty if there is none.
    public var shortFingerprint: String { String((fingerprint ?? "").prefix(12)) }

    public init(version: String, fingerprint: String? = nil, loadedAt: Double) {
        self.version = version
        self.fingerprint = fingerprint
        self.loadedAt = loadedAt
    }
}

/// The state of the teacher's circuit breaker.
public enum CircuitState: String, Sendable, CaseIterable, Codable {
    /// The teacher is used.
    case closed
    /// A probe is running; the student answers all other lines.
    case halfOpen = "half_open"
    /// The teacher failed and isn't used for a pause.
    case open

    /// The value of the metric.
    public var number: Int {
        switch self {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
    }
}
