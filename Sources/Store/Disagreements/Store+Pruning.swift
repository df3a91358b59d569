import Diagnostics
import GRDB

extension Store {
    /// Removes the rows of the log that are older than `keepDays`, and the oldest beyond `keepRows`; gives their number.
    /// Rows that a human has labelled stay: they are few and dear.
    ///
    /// Works in small transactions, so that a commit in between waits for one of them at most, and gives the file's
    /// free pages back to the file system, but for a few that the next rows use. `now` in microseconds since 1970.
    @discardableResult
    public func prune(keepDays: Int, keepRows: Int, now: Int64) throws(UnderstudyError) -> Int {
        let (age, isForEver) = Int64(max(0, keepDays)).multipliedReportingOverflow(by: TimeText.day)
        let oldest = isForEver ? Int64.min : now.subtractingReportingOverflow(age).partialValue
        var removed = 0
        if !isForEver {
            removed += try repeated { try Self.removeOldest(Self.step, before: oldest, in: $0) }
        }
        var excess = try read { try Self.number("SELECT count(*) FROM disagreement", in: $0) } - Int64(max(0, keepRows))
        while excess > 0 {
            let count = try write { try Self.removeOldest(min(Self.step, excess), before: nil, in: $0) }
            guard count > 0 else { break }
            removed += Int(count)
            excess -= count
        }
        _ = try repeated { try Self.giveBackPages(in: $0) }
        return removed
    }

    /// Rows removed in one transaction: some milliseconds.
    private static let step: Int64 = 500
    /// Pages given back in one transaction, and pages that stay for the next rows.
    private static let pagesAtOnce: Int64 = 256
    private static let pagesKept: Int64 = 1024

    /// Runs `body` in transactions of their own until it has nothing left to do; gives the sum of what it says.
    private func repeated(_ body: (Database) throws -> Int64) throws(UnderstudyError) -> Int {
        var sum: Int64 = 0
        while true {
            let count = try write(body)
            guard count > 0 else { return Int(sum) }
            sum += count
        }
    }

    private static func removeOldest(_ limit: Int64, before: Int64?, in database: Database) throws -> Int64 {
        let condition = (before == nil ? "" : "time < ? AND ") + "human_label IS NULL"
        let statement = try database.cachedStatement(
            sql: """
                DELETE FROM disagreement WHERE number IN
                    (SELECT number FROM disagreement WHERE \(condition) ORDER BY time, number LIMIT ?)
                """)
        try statement.execute(arguments: (before.map { [$0] } ?? []) + [limit])
        return Int64(database.changesCount)
    }

    private static func giveBackPages(in database: Database) throws -> Int64 {
        let free = try number("PRAGMA freelist_count", in: database)
        let count = min(pagesAtOnce, free - pagesKept)
        guard count > 0 else { return 0 }
        try database.execute(sql: "PRAGMA incremental_vacuum(\(count))")
        return try max(0, free - number("PRAGMA freelist_count", in: database))
    }

    private static func number(_ sql: String, in database: Database) throws -> Int64 {
        try Row.fetchOne(database, sql: sql).flatMap { StoredNumber.integer($0, 0) } ?? 0
    }
}
