import Tensors

/// Whether one model is better than another on the same lines: the difference of their accuracies, resampled (Efron &
/// Tibshirani 1993, chapter 13, percentile intervals; paired, as in Koehn 2004).
///
/// Only lines on which exactly one of the two is right affect the difference, so each resampling draws the number of
/// the n lines of either kind: that is equivalent to drawing whole lines.
public struct PairedBootstrap: Sendable, Equatable {
    /// Accuracy of the first minus accuracy of the second.
    public let difference: Double
    /// The bounds of the two-sided interval.
    public let lower: Double
    public let upper: Double
    /// The nominal coverage of the interval, 0 to 1.
    public let confidence: Double
    /// The share of resamplings in which the first is strictly better, plus half of the ties.
    public let probabilityBetter: Double

    /// - Parameters:
    ///   - first, second: (n), whether each model is right; n must not be 0.
    ///   - replicates: resamplings; with 10,000, a bound is accurate to about a hundredth of the interval's width.
    public init(
        first: [Bool], second: [Bool], confidence: Double = 0.95, replicates: Int = 10_000, seed: UInt64 = 0
    ) {
        precondition(first.count == second.count && !first.isEmpty, "a paired test needs the same lines for both")
        precondition(confidence > 0 && confidence < 1 && replicates > 0, "a coverage must be between 0 and 1")
        let deltas = zip(first, second).map { ($0 ? 1 : 0) - ($1 ? 1 : 0) }
        let count = Double(deltas.count)
        let wins = deltas.count { $0 > 0 }
        let losses = deltas.count { $0 < 0 }
        var generator = SeededGenerator(seed: seed)
        var sums = [Int](repeating: 0, count: replicates)
        for replicate in 0..<replicates {
            var sum = 0
            for _ in 0..<deltas.count {
                let drawn = generator.next(below: deltas.count)
                if drawn < wins { sum += 1 } else if drawn < wins + losses { sum -= 1 }
            }
            sums[replicate] = sum
        }
        sums.sort()
        let tail = (1 - confidence) / 2
        difference = Double(wins - losses) / count
        lower = Self.quantile(sums, tail) / count
        upper = Self.quantile(sums, 1 - tail) / count
        self.confidence = confidence
        let better = sums.count { $0 > 0 }
        let ties = sums.count { $0 == 0 }
        probabilityBetter = (Double(better) + Double(ties) / 2) / Double(replicates)
    }

    // Linear between the two nearest order statistics, as in NumPy's default.
    private static func quantile(_ sorted: [Int], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place.rounded(.down))
        let above = min(below + 1, sorted.count - 1)
        return Double(sorted[below]) + (place - Double(below)) * Double(sorted[above] - sorted[below])
    }
}
