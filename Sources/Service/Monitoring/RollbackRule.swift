import Glibc
import Store

/// Decides whether a promoted student agrees less with the teacher on audited lines than its predecessor did.
///
/// Tests are made when the new student has 50, 100, 200, 400 … audits and at the end of the window, each on its first
/// so many audits, so that the result doesn't depend on how often the daemon checks. Each is Fisher's exact test,
/// one-sided (Fisher 1935, section 21.1), at the configured error divided by the number of tests (Bonferroni). Over the
/// whole window, a student as good as its predecessor is rolled back with at most that error.
package struct RollbackRule: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// A comparison is impossible: there is no predecessor, or it has too few audits.
        case cannotTell(String)
        /// Monitored; the next test is at this number of audits.
        case following(nextLook: Int)
        /// The window has ended: the student is kept.
        case kept
        case worse(probability: Double)
    }

    /// Audits at the first test, and minimum audits of the predecessor.
    package static let fewest = 50

    /// Audits of the new student after which monitoring ends.
    package let window: Int
    /// 0 … 1.
    package let confidence: Double

    package init(window: Int, confidence: Double) {
        self.window = window
        self.confidence = confidence
    }

    /// Numbers of audits at which a test is made, ascending.
    package var looks: [Int] {
        var looks: [Int] = []
        var next = Self.fewest
        while next < window {
            looks.append(next)
            next *= 2
        }
        return looks + [max(window, 1)]
    }

    /// Returns the test that is due at `audits` audits, which is the largest one reached; nil before the first.
    package func look(at audits: Int) -> Int? { looks.last { $0 <= audits } }

    /// - Parameters:
    ///   - audits: number of the new student's audits so far.
    ///   - new: its first `look(at: audits)` audits.
    ///   - old: the predecessor's latest audits.
    package func verdict(audits: Int, new: Agreement, old: Agreement) -> Verdict {
        guard old.asked >= min(Self.fewest, window) else {
            return .cannotTell("only \(old.asked) lines of the previous student were audited")
        }
        guard let look = look(at: audits), new.asked > 0 else { return .following(nextLook: looks[0]) }
        let probability = Self.fisher(new, old)
        if probability < (1 - confidence) / Double(looks.count) { return .worse(probability: probability) }
        guard let next = looks.first(where: { $0 > look }) else { return .kept }
        return .following(nextLook: next)
    }

    /// Returns the probability that at most this number of all agreements falls to the new student by chance: the lower
    /// tail of the hypergeometric distribution.
    package static func fisher(_ new: Agreement, _ old: Agreement) -> Double {
        let agreed = new.agreed + old.agreed
        let total = new.asked + old.asked
        func choose(_ n: Int, _ k: Int) -> Double {
            lgamma(Double(n) + 1) - lgamma(Double(k) + 1) - lgamma(Double(n - k) + 1)
        }
        let all = choose(total, agreed)
        let least = max(0, agreed - old.asked)
        guard least <= new.agreed else { return 0 }
        var sum = 0.0
        for count in least...new.agreed where count <= agreed && agreed - count <= old.asked {
            sum += exp(choose(new.asked, count) + choose(old.asked, agreed - count) - all)
        }
        return min(1, sum)
    }
}
