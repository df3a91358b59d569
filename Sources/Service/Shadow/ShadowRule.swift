import Cascade
import Glibc

/// Decides whether a shadow has shown itself good enough: McNemar's exact test on the lines about which exactly one of
/// both said the teacher's label (McNemar 1947; Dietterich 1998, "Approximate Statistical Tests for Comparing Supervised
/// Classification Learning Algorithms", section 3.1), one-sided.
package struct ShadowRule: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        case undecided
        case passed
        case worse(probability: Double)
    }

    /// Lines that all three must have answered.
    package let lines: Int
    /// 0 … 1.
    package let confidence: Double

    package init(lines: Int, confidence: Double) {
        self.lines = lines
        self.confidence = confidence
    }

    package func verdict(_ tally: ShadowTally) -> Verdict {
        guard tally.judged >= lines else { return .undecided }
        let probability = Self.mcnemar(onlyShadow: tally.onlyShadowRight, onlyStudent: tally.onlyStudentRight)
        return probability < 1 - confidence ? .worse(probability: probability) : .passed
    }

    /// How probable it is that of all lines that only one has right so few, or fewer, fall to the shadow by chance.
    package static func mcnemar(onlyShadow: Int, onlyStudent: Int) -> Double {
        let total = onlyShadow + onlyStudent
        guard total > 0 else { return 1 }
        var sum = 0.0
        for count in 0...onlyShadow {
            sum += exp(
                lgamma(Double(total) + 1) - lgamma(Double(count) + 1) - lgamma(Double(total - count) + 1)
                    - Double(total) * M_LN2)
        }
        return min(1, sum)
    }
}
