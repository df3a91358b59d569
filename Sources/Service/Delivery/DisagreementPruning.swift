import Configuration
import Diagnostics
import Glibc
import Store

/// Keeps the disagreement log within its bounds, now and then, from the committer's thread.
struct DisagreementPruning: Sendable {
    let store: Store
    let settings: DisagreementSettings
    /// Once an hour: rows are days old when they go.
    static let interval: UInt64 = 3_600_000_000_000

    func prune() throws(UnderstudyError) {
        let now = Int64(time(nil)) * 1_000_000
        _ = try store.prune(keepDays: settings.keepDays, keepRows: settings.keepRows, now: now)
    }
}
