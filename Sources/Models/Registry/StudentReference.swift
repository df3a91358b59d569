/// What lines looked like to a student when it was made, so that a stream that looks otherwise is noticed.
///
/// Measured on the holdout: lines that the student hasn't learnt, or its confidence would promise too much.
public struct StudentReference: Sendable, Equatable, Codable {
    public var labels: [String]
    /// Shares of the labels that the student gave, in the order of `labels`.
    public var labelShares: [Double]
    /// Shares of its confidences (after temperature) in equal bins over 0 … 1.
    public var confidenceShares: [Double]
    /// Share of tokens that the tokenizer doesn't know; nil where it knows everything by its nature.
    public var unknownTokenShare: Double?
    public var lines: Int

    public static let confidenceBins = 20

    public init(
        labels: [String], labelShares: [Double], confidenceShares: [Double], unknownTokenShare: Double?, lines: Int
    ) {
        self.labels = labels
        self.labelShares = labelShares
        self.confidenceShares = confidenceShares
        self.unknownTokenShare = unknownTokenShare
        self.lines = lines
    }

    /// From what a student said of n lines: indices into `labels`, and confidences from 0 to 1.
    public init(labels: [String], predicted: [Int32], confidences: [Float], unknownTokenShare: Double?) {
        var labelCounts = [Int](repeating: 0, count: labels.count)
        for index in predicted where labels.indices.contains(Int(index)) { labelCounts[Int(index)] += 1 }
        var bins = [Int](repeating: 0, count: Self.confidenceBins)
        for confidence in confidences { bins[Self.bin(confidence)] += 1 }
        func shares(_ counts: [Int]) -> [Double] {
            let total = max(1, counts.reduce(0, +))
            return counts.map { Double($0) / Double(total) }
        }
        self.init(
            labels: labels, labelShares: shares(labelCounts), confidenceShares: shares(bins),
            unknownTokenShare: unknownTokenShare, lines: predicted.count)
    }

    /// The bin of a confidence; what isn't a number falls into the first.
    public static func bin(_ confidence: Float) -> Int {
        guard confidence > 0 else { return 0 }
        return min(Int(confidence * Float(confidenceBins)), confidenceBins - 1)
    }
}
