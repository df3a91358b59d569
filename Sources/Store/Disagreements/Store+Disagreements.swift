import Diagnostics
import GRDB

extension Store {
    /// Rows that match the filter, newest first, at most `limit`.
    public func disagreements(
        matching filter: DisagreementFilter = DisagreementFilter(), limit: Int
    ) throws(UnderstudyError) -> [DisagreementRow] {
        let (condition, arguments) = filter.condition
        let sql = """
            SELECT \(DisagreementTable.columns) FROM \(DisagreementTable.tables) WHERE \(condition)
            ORDER BY disagreement.time DESC, disagreement.number DESC LIMIT ?
            """
        let (rows, damaged) = try read { database in
            var rows: [DisagreementRow] = []
            var damaged = 0
            let cursor = try Row.fetchCursor(database, sql: sql, arguments: arguments + [max(0, limit)])
            while let row = try cursor.next() {
                if let decoded = DisagreementTable.decode(row) { rows.append(decoded) } else { damaged += 1 }
            }
            return (rows, damaged)
        }
        reportDamaged(damaged)
        return rows
    }

    /// Calls `body` with every row that matches the filter, oldest first, until it returns false.
    ///
    /// Reads a page at a time and holds no snapshot in between, so that a slow reader doesn't stop the daemon from
    /// truncating its write-ahead log. Rows that are written meanwhile may be included.
    public func forEachDisagreement(
        matching filter: DisagreementFilter = DisagreementFilter(),
        _ body: (DisagreementRow) throws(UnderstudyError) -> Bool
    ) throws(UnderstudyError) {
        let (condition, arguments) = filter.condition
        let sql = """
            SELECT disagreement.time, disagreement.number, \(DisagreementTable.columns) FROM \(DisagreementTable.tables)
            WHERE \(condition) AND (disagreement.time, disagreement.number) > (?, ?)
            ORDER BY disagreement.time, disagreement.number LIMIT \(Self.page)
            """
        var last: (time: Int64, number: Int64) = (.min, .min)
        var damaged = 0
        var goesOn = true
        while goesOn {
            let (rows, end, count) = try read { database in
                var rows: [DisagreementRow?] = []
                var end = last
                let cursor = try Row.fetchCursor(
                    database, sql: sql, arguments: arguments + [last.time, last.number])
                while let row = try cursor.next() {
                    guard let time = StoredNumber.integer(row, 0), let number = StoredNumber.integer(row, 1) else {
                        throw StoreDamage(reason: "a row of the disagreement log is malformed")
                    }
                    end = (time, number)
                    rows.append(DisagreementTable.decode(row, first: 2))
                }
                return (rows.compactMap { $0 }, end, rows.count)
            }
            damaged += count - rows.count
            for row in rows where goesOn { goesOn = try body(row) }
            guard count == Self.page, end > last else { break }
            last = end
        }
        reportDamaged(damaged)
    }

    /// Rows read at a time: enough for speed, few enough for lines of a mebibyte.
    private static let page = 64

    private func reportDamaged(_ count: Int) {
        guard count > 0 else { return }
        let message = "\(count) rows of the disagreement log are damaged and were left out"
        report(UnderstudyError(.inputOutput, message, at: path))
    }
}

extension Store {
    /// Stores human labels in one transaction; returns each entry's outcome in the given order. A line that the log has
    /// more than once, for several models, gets the label in every row.
    public func setHumanLabels(_ labels: [HumanLabel]) throws(UnderstudyError) -> [HumanLabel.Outcome] {
        try write { database in
            try labels.map { try Self.set($0, in: database) }
        }
    }

    /// A nil `label` removes the label.
    public func setHumanLabel(id: UInt64, label: String?) throws(UnderstudyError) -> HumanLabel.Outcome {
        try setHumanLabels([HumanLabel(id: id, label: label)]).first ?? .unknownID
    }

    private static func set(_ entry: HumanLabel, in database: Database) throws -> HumanLabel.Outcome {
        let find = try database.cachedStatement(
            sql: """
                SELECT disagreement.number, pairing.labels FROM \(DisagreementTable.tables) WHERE disagreement.id = ?
                ORDER BY disagreement.number
                """)
        let rows = try Row.fetchAll(find, arguments: [Int64(bitPattern: entry.id)])
        guard !rows.isEmpty else { return .unknownID }
        var known: [String] = []
        var isKept = false
        for row in rows {
            guard let number = StoredNumber.integer(row, 0), let labels = StoredList.texts(row, 1) else { continue }
            if let label = entry.label, !labels.contains(label) {
                known = labels
                continue
            }
            try database.cachedStatement(sql: "UPDATE disagreement SET human_label = ? WHERE number = ?")
                .execute(arguments: [entry.label.map(StoredText.bytes), number])
            isKept = true
        }
        return isKept ? .kept : .unknownLabel(known: known)
    }
}

extension Store {
    /// Removes the rows of the log that are older than `keepDays`, and the oldest beyond `keepRows`; returns their
    /// number. Rows with a human label are kept: they are few and expensive.
    ///
    /// Works in small transactions, so that a concurrent commit waits for at most one of them, and returns the file's
    /// free pages to the file system, except a few for the next rows. `now` in microseconds since 1970.
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

    /// Rows removed in one transaction, which takes some milliseconds.
    private static let step: Int64 = 500
    /// Pages freed in one transaction, and pages kept for the next rows.
    private static let pagesAtOnce: Int64 = 256
    private static let pagesKept: Int64 = 1024

    /// Runs `body` in separate transactions until it returns 0; returns the sum of its results.
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
