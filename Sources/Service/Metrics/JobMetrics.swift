/// What one finished job, a run of consecutive lines of one source, adds to the counters: filled, and given to
/// `DaemonMetrics.record(_:)`.
public struct JobMetrics: Sendable {
    /// Equal bins of the confidence histogram, over 0 to 1.
    public static let confidenceBins = 20

    public let source: DaemonMetrics.SourceID
    public let labels: DaemonMetrics.LabelSet

    /// Lines that were answered, by the place in `labels` of the label that was answered.
    public var predictions: [Int]
    /// Lines without text, which get no answer.
    public var blank = 0
    /// Lines refused, by the place of the flaw's kind in the names given to `DaemonMetrics`.
    public var flaws: [Int]
    /// Refused lines that a dead-letter sink took.
    public var dead = 0
    /// Bytes read for these lines, line ends included.
    public var bytes = 0
    /// Of the lines answered, those that carry the teacher's answer.
    public var byTeacher = 0
    /// Lines that the teacher was wanted for, because the student was unsure.
    public var deferred = 0
    /// Lines that the teacher was wanted for, to check a sure student.
    public var audited = 0
    /// Lines that the teacher was wanted for and gave no answer about: its queue was full, it was broken, or too slow.
    public var skippedFull = 0
    public var skippedBroken = 0
    public var skippedTimeout = 0
    /// Deferred lines where the teacher said another label.
    public var deferredDisagreements = 0
    /// Audited lines that the teacher answered, and those of them where it said the same label.
    public var auditAnswered = 0
    public var auditAgreed = 0
    /// Lines in the student's pass, and its seconds; 0 lines: there was none.
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

    /// Takes confidences that were counted by bin; their sum is then known to within half a bin for each.
    public mutating func setConfidences(_ counts: [Int]) {
        confidences = counts
        confidenceSum = 0
        for (bin, count) in counts.enumerated() {
            confidenceSum += Double(count) * (Double(bin) + 0.5) / Double(Self.confidenceBins)
        }
    }
}
