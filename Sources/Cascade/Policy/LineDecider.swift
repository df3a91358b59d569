import Streams
import Synchronization

/// Decides which lines of a job the teacher sees, and why.
///
/// Shared by all workers. With a fixed threshold it has no state; with a budget the threshold follows the lines seen
/// (`BudgetThreshold`).
public final class LineDecider: Sendable {
    public enum Rule: Sendable, Equatable {
        /// Lines with a certainty below a threshold.
        case fixed(DeferralPolicy)
        /// The least certain lines, up to this share of all lines, 0 … 1.
        case budgetShare(DeferralPolicy.Measure, Double)
        /// The least certain lines, up to this number per second.
        case budgetRate(DeferralPolicy.Measure, Double)
    }

    public let rule: Rule
    /// The share of sure lines that are audited, 0 … 1.
    public let auditShare: Double
    private let auditBound: UInt64
    private let budget: Mutex<BudgetThreshold>

    public init(_ rule: Rule, auditShare: Double = 0) {
        self.rule = rule
        self.auditShare = min(1, max(0, auditShare))
        // 2⁶⁴ − 2¹¹ is the largest double below 2⁶⁴.
        auditBound = self.auditShare >= 1 ? .max : UInt64(self.auditShare * 0x1p64)
        switch rule {
        case .fixed: budget = Mutex(BudgetThreshold(share: 0))
        case .budgetShare(_, let share): budget = Mutex(BudgetThreshold(share: share))
        case .budgetRate(_, let rate): budget = Mutex(BudgetThreshold(linesPerSecond: rate))
        }
    }

    public var neverAsks: Bool {
        if auditShare > 0 { return false }
        switch rule {
        case .fixed(let policy): return policy.neverAsks
        case .budgetShare(_, let bound), .budgetRate(_, let bound): return bound <= 0
        }
    }

    /// The current threshold.
    public var threshold: Float {
        switch rule {
        case .fixed(let policy): policy.threshold
        case .budgetShare, .budgetRate: budget.withLock { $0.threshold }
        }
    }

    /// Calls `ask` for each of `count` lines that the teacher is to see.
    ///
    /// `line` returns a line's verdict and id; a line without a verdict is never selected. `now` is in nanoseconds of a
    /// monotonic clock. An audit depends only on the line's id, so it is the same in every run.
    package func decide(
        count: Int, now: UInt64, line: (Int) -> (verdict: Verdict, id: UInt64)?, ask: (Int, TeacherReason) -> Void
    ) {
        switch rule {
        case .fixed(let policy):
            if policy.neverAsks, auditBound == 0 { return }
            for index in 0..<count {
                guard let (verdict, id) = line(index) else { continue }
                if policy.defers(verdict) {
                    ask(index, .deferred)
                } else if id < auditBound {
                    ask(index, .audit)
                }
            }
        case .budgetShare(let measure, _), .budgetRate(let measure, _):
            budget.withLock { budget in
                budget.advance(to: now)
                for index in 0..<count {
                    guard let (verdict, id) = line(index) else { continue }
                    if budget.admits(measure.certainty(of: verdict)) {
                        ask(index, .deferred)
                    } else if id < auditBound {
                        ask(index, .audit)
                    }
                }
            }
        }
    }
}
