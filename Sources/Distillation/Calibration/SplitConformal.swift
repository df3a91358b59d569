import Glibc

/// A threshold with a guarantee: among the lines answered at or above it, at most a given share is wrong.
///
/// Selective classification with a held-out calibration set (Angelopoulos & Bates 2023, "Conformal Prediction: A Gentle
/// Introduction", section 5.5 and appendix A; Angelopoulos et al. 2021, "Learn then Test", fixed-sequence testing).
/// Thresholds are tried from high to low. For each, the error rate among the answered lines gets an upper confidence
/// bound that is exact for the binomial (Clopper & Pearson 1934); the first bound above the target ends the search.
/// With probability at least `assurance` over the calibration lines, the true error rate is within the target.
public struct SplitConformal: Sendable, Equatable {
    /// Lines with less confidence are deferred. 1 if nothing can be guaranteed.
    public let threshold: Float
    /// The share of the calibration lines that are answered.
    public let answeredShare: Double
    /// The error rate among the answered calibration lines, and its upper bound; 1 if none is answered.
    public let error: Double
    public let errorBound: Double

    public static let defaultAssurance = 0.9

    /// The smallest threshold that keeps the error among answered lines within `targetError`.
    ///
    /// `confidences` and `correct` are (n), from lines outside of the training set; 0 < targetError < 1.
    public static func fit(
        confidences: [Float], correct: [Bool], targetError: Double, assurance: Double = defaultAssurance
    ) -> SplitConformal {
        precondition(confidences.count == correct.count, "\(correct.count) outcomes for \(confidences.count) lines")
        precondition(assurance > 0 && assurance < 1, "an assurance must be between 0 and 1")
        let none = SplitConformal(threshold: 1, answeredShare: 0, error: 1, errorBound: 1)
        guard targetError > 0, targetError < 1 else { return none }
        let order = confidences.indices.sorted { confidences[$0] > confidences[$1] }
        let rising = confidences.sorted()
        let first = fewestLines(targetError: targetError, assurance: assurance)
        var found = none
        var errors = 0
        for (position, line) in order.enumerated() {
            if !correct[line] { errors += 1 }
            let answered = position + 1
            let isInTie = answered < order.count && confidences[order[answered]] == confidences[line]
            if answered < first || isInTie { continue }
            let bound = upperBound(errors: errors, of: answered, assurance: assurance)
            if bound > targetError { break }
            found = SplitConformal(
                threshold: DeferralThreshold.between(rising, rising.count - answered),
                answeredShare: Double(answered) / Double(order.count), error: Double(errors) / Double(answered),
                errorBound: bound)
        }
        return found
    }

    /// The start of the search: the fewest answered lines whose bound is within the target with half of the target's
    /// errors. Any fixed start keeps the guarantee; an earlier one would end the search on a single unlucky line.
    static func fewestLines(targetError: Double, assurance: Double) -> Int {
        var lines = 1
        while true {
            let errors = Int((Double(lines) * targetError / 2).rounded(.down))
            if errors >= 1, upperBound(errors: errors, of: lines, assurance: assurance) <= targetError { return lines }
            // With e errors in n lines the bound is near e/n, half the target, for large n: the loop ends.
            lines += max(1, lines / 64)
        }
    }

    /// The Clopper–Pearson upper bound: the error rate r at which at most `errors` errors in `lines` have probability 1
    /// − assurance.
    public static func upperBound(errors: Int, of lines: Int, assurance: Double) -> Double {
        guard errors < lines else { return 1 }
        var low = Double(errors) / Double(lines)
        var high = 1.0
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if binomialCumulative(errors, of: lines, rate: middle) > 1 - assurance {
                low = middle
            } else {
                high = middle
            }
        }
        return high
    }

    /// P[X ≤ errors] for X binomial (lines, rate), 0 < rate < 1. Terms are added from the largest down in logarithms.
    static func binomialCumulative(_ errors: Int, of lines: Int, rate: Double) -> Double {
        let odds = (1 - rate) / rate
        // The last term, then each earlier one: C(n, k−1)/C(n, k) = k / (n − k + 1).
        var term = exp(
            lgamma(Double(lines) + 1) - lgamma(Double(errors) + 1) - lgamma(Double(lines - errors) + 1)
                + Double(errors) * log(rate) + Double(lines - errors) * log1p(-rate))
        var sum = term
        var k = errors
        while k > 0 {
            term *= Double(k) / Double(lines - k + 1) * odds
            sum += term
            // After the mode the terms fall; before it they rise, so only a falling term may end the sum.
            if term < sum * 1e-17 && Double(k) / Double(lines - k + 1) * odds < 1 { break }
            k -= 1
        }
        return min(1, sum)
    }
}
