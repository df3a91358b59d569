/// How well confidence ranks right answers before wrong ones, when the least confident lines may be left unanswered.
///
/// Lines are taken from the most confident on. Lines of equal confidence count by the mean over all their orders, so
/// the figures don't depend on the order of the lines.
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
