/// How far confidence is from accuracy: lines are put into bins of equal width by confidence, and the bins' gaps
/// averaged by their share of the lines (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2).
public struct ExpectedCalibrationError: Sendable, Equatable {
    /// One bin (lower, upper]; the first one also takes a confidence of 0.
    public struct Bin: Sendable, Equatable {
        public let lower: Double
        public let upper: Double
        public let count: Int
        /// Mean confidence of the bin's lines; 0 for an empty bin.
        public let confidence: Double
        /// Share of the bin's lines that are right; 0 for an empty bin.
        public let accuracy: Double
        /// Lines that are right.
        public let correct: Int
    }

    /// The bins from low to high: a reliability diagram.
    public let bins: [Bin]
    /// The weighted mean of |accuracy − confidence| over the bins, 0 to 1; 0 for no lines.
    public let value: Double
    /// The largest gap of a bin that has lines (maximum calibration error).
    public let maximum: Double

    /// `confidences` and `correct` are (n); confidences lie between 0 and 1.
    public init(confidences: [Float], correct: [Bool], bins binCount: Int = 15) {
        precondition(confidences.count == correct.count, "\(correct.count) outcomes for \(confidences.count) lines")
        precondition(binCount > 0, "there must be a bin")
        var counts = [Int](repeating: 0, count: binCount)
        var hits = [Int](repeating: 0, count: binCount)
        var sums = [Double](repeating: 0, count: binCount)
        for (confidence, isCorrect) in zip(confidences, correct) {
            let value = Double(confidence)
            var bin = min(max(Int((value * Double(binCount)).rounded(.up)) - 1, 0), binCount - 1)
            // The product may round across an edge; the edges themselves decide.
            if bin > 0, value <= Double(bin) / Double(binCount) { bin -= 1 }
            if bin < binCount - 1, value > Double(bin + 1) / Double(binCount) { bin += 1 }
            counts[bin] += 1
            sums[bin] += value
            if isCorrect { hits[bin] += 1 }
        }
        bins = (0..<binCount).map { bin in
            let count = max(Double(counts[bin]), 1)
            return Bin(
                lower: Double(bin) / Double(binCount), upper: Double(bin + 1) / Double(binCount), count: counts[bin],
                confidence: sums[bin] / count, accuracy: Double(hits[bin]) / count, correct: hits[bin])
        }
        let total = max(Double(confidences.count), 1)
        value = bins.reduce(0) { $0 + Double($1.count) / total * abs($1.accuracy - $1.confidence) }
        maximum = bins.reduce(0) { $1.count == 0 ? $0 : max($0, abs($1.accuracy - $1.confidence)) }
    }
}
