import Glibc

/// The population stability index: how far a distribution has moved from another, Σ (p − q) · ln(p / q) over its bins
/// (Siddiqi 2006, "Credit Risk Scorecards", chapter 10; it is the symmetrised Kullback–Leibler divergence). Below 0.1
/// nothing has happened, above 0.25 something has.
package enum PopulationStability {
    /// What an empty bin counts as, so that one line in it isn't infinitely far.
    static let floor = 1e-3

    /// `reference` and `counts` are (n) over the same bins; nil where nothing was counted.
    package static func index(reference: [Double], counts: [Int]) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0, reference.count == counts.count, reference.contains(where: { $0 > 0 }) else { return nil }
        var sum = 0.0
        for (share, count) in zip(reference, counts) {
            let before = max(share, floor)
            let now = max(Double(count) / Double(total), floor)
            sum += (now - before) * log(now / before)
        }
        return sum
    }
}
