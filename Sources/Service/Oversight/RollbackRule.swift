import Glibc
import Store

/// Decides whether a promoted student agrees less with the teacher, on audited lines, than the one before it did.
///
/// Looked at when the new student's audits reach 50, 100, 200, 400 … and the window's end, each time at its first so many
/// audits, so that it doesn't matter how often the daemon asks. At each look Fisher's exact test, one-sided (Fisher 1935,
/// section 21.1), at the stated error divided by the number of looks (Bonferroni): a student that is as good as the one
/// before is taken back with no more than that error over the whole window.
package struct RollbackRule: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// Nothing to compare with: no predecessor, or too few of its lines were audited.
        case cannotTell(String)
        /// Followed; the next look is when so many lines were audited.
        case following(nextLook: Int)
        /// The window is over: it stays.
        case kept
        case worse(probability: Double)
    }

    /// The first look, and how many audits of the predecessor are needed.
    package static let fewest = 50

    /// Audited lines of the new student after which it's no longer followed.
    package let window: Int
    /// 0 … 1.
    package let confidence: Double

    package init(window: Int, confidence: Double) {
        self.window = window
        self.confidence = confidence
    }

    /// Numbers of audits at which is looked, rising.
    package var looks: [Int] {
        var looks: [Int] = []
        var next = Self.fewest
        while next < window {
            looks.append(next)
            next *= 2
        }
        return looks + [max(window, 1)]
    }

    /// The look that is due when `audits` lines were audited: the largest that is reached; nil before the first.
    package func look(at audits: Int) -> Int? { looks.last { $0 <= audits } }

    /// - Parameters:
    ///   - audits: all of the new student's audits so far.
    ///   - new: its first `look(at: audits)` audits.
    ///   - old: the predecessor's latest audits.
    package func verdict(audits: Int, new: Agreement, old: Agreement) -> Verdict {
        guard old.asked >= min(Self.fewest, window) else {
            return .cannotTell("only \(old.asked) lines of the student before were audited")
        }
        guard let look = look(at: audits), new.asked > 0 else { return .following(nextLook: looks[0]) }
        let probability = Self.fisher(new, old)
        if probability < (1 - confidence) / Double(looks.count) { return .worse(probability: probability) }
        guard let next = looks.first(where: { $0 > look }) else { return .kept }
        return .following(nextLook: next)
    }

    /// How probable it is that of the agreements of both so few, or fewer, fall to the new one by chance: the lower tail
    /// of the hypergeometric distribution.
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
