import Models

/// One model measured on labelled lines.
public struct ModelEvaluation: Sendable {
    public enum Role: String, Sendable {
        case student, teacher
    }

    public let role: Role
    /// The model's own version name.
    public let version: String
    public let scored: ScoredLines
    /// At temperature 1, and at the model's own temperature.
    public let raw: Predictions
    public let calibrated: Predictions
    /// (n), whether the model is right.
    public let correct: [Bool]
    public let confusion: ConfusionMatrix
    public let report: ClassificationReport
    public let calibrationErrorBefore: ExpectedCalibrationError
    public let calibrationErrorAfter: ExpectedCalibrationError
    public let lossBefore: Double
    public let lossAfter: Double
    public let brierBefore: Double
    public let brierAfter: Double
    /// With the confidences at the model's own temperature.
    public let selectiveRisk: SelectiveRisk

    public var temperature: Float { calibrated.temperature }

    /// `truth` is (n), all labels known; `labels` names the columns of `scored` and the indices of `truth`.
    public init(
        role: Role, version: String, labels: [String], scored: ScoredLines, truth: [Int32], temperature: Float
    ) {
        self.role = role
        self.version = version
        self.scored = scored
        raw = Predictions(logits: scored.logits, labelCount: labels.count)
        calibrated = temperature == 1 ? raw : raw.at(temperature: temperature)
        correct = raw.correct(truth)
        confusion = ConfusionMatrix(labels: labels, truth: truth, predicted: raw.indices)
        report = ClassificationReport(confusion)
        calibrationErrorBefore = ExpectedCalibrationError(confidences: raw.confidences, correct: correct)
        calibrationErrorAfter = ExpectedCalibrationError(confidences: calibrated.confidences, correct: correct)
        lossBefore = raw.negativeLogLikelihood(truth)
        lossAfter = calibrated.negativeLogLikelihood(truth)
        brierBefore = raw.brierScore(truth)
        brierAfter = calibrated.brierScore(truth)
        selectiveRisk = SelectiveRisk(confidences: calibrated.confidences, correct: correct)
    }
}

/// The difference between confidence and accuracy: lines are put into bins of equal width by confidence, and the bins'
/// gaps are averaged, weighted by their share of the lines (Guo et al. 2017, "On Calibration of Modern Neural
/// Networks", section 2).
public struct ExpectedCalibrationError: Sendable, Equatable {
    /// One bin (lower, upper]; the first one also includes a confidence of 0.
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

    /// The bins in ascending order: a reliability diagram.
    public let bins: [Bin]
    /// The weighted mean of |accuracy − confidence| over the bins, 0 to 1; 0 for no lines.
    public let value: Double
    /// The largest gap of a non-empty bin (maximum calibration error).
    public let maximum: Double

    /// `confidences` and `correct` are (n); confidences are between 0 and 1.
    public init(confidences: [Float], correct: [Bool], bins binCount: Int = 15) {
        precondition(confidences.count == correct.count, "\(correct.count) outcomes for \(confidences.count) lines")
        precondition(binCount > 0, "at least 1 bin is needed")
        var counts = [Int](repeating: 0, count: binCount)
        var hits = [Int](repeating: 0, count: binCount)
        var sums = [Double](repeating: 0, count: binCount)
        for (confidence, isCorrect) in zip(confidences, correct) {
            let value = Double(confidence)
            var bin = min(max(Int((value * Double(binCount)).rounded(.up)) - 1, 0), binCount - 1)
            // The product may round across an edge; the comparison with the edge decides.
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

/// How well confidence ranks right answers before wrong ones, if the least confident lines may be left unanswered.
///
/// Lines are added in decreasing confidence. Lines of equal confidence are averaged over all their orders, so the
/// results don't depend on the order of the lines.
public struct SelectiveRisk: Sendable, Equatable {
    /// Area under the risk–coverage curve: the mean over k of the error rate among the k most confident lines
    /// (Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks"). Lower is better.
    public let areaUnderRiskCoverage: Double
    /// Area under the generalised risk–coverage curve: the share of all lines that are answered and wrong, integrated
    /// over coverage by trapezoids (Traub et al. 2024, "Overcoming Common Flaws in the Evaluation of Selective
    /// Classification Systems", section 4). Between 0 and 1/2; lower is better.
    public let areaUnderGeneralisedRisk: Double

    /// `confidences` and `correct` are (n). Both areas are 0 for no lines.
    public init(confidences: [Float], correct: [Bool]) {
        precondition(confidences.count == correct.count, "\(correct.count) outcomes for \(confidences.count) lines")
        let order = confidences.indices.sorted { confidences[$0] > confidences[$1] }
        var riskSum = 0.0
        var generalisedSum = 0.0
        var errors = 0.0
        var start = 0
        while start < order.count {
            var end = start
            var wrong = 0
            while end < order.count, confidences[order[end]] == confidences[order[start]] {
                if !correct[order[end]] { wrong += 1 }
                end += 1
            }
            let perLine = Double(wrong) / Double(end - start)
            for answered in start + 1...end {
                let before = errors
                errors += perLine
                riskSum += errors / Double(answered)
                generalisedSum += (before + errors) / 2
            }
            start = end
        }
        let count = Double(max(order.count, 1))
        areaUnderRiskCoverage = riskSum / count
        areaUnderGeneralisedRisk = generalisedSum / (count * count)
    }
}
