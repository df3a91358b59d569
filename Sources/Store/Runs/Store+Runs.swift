import Diagnostics
import Foundation
import GRDB

extension Store {
    /// Rows of the log that no run has used yet.
    public struct NewRows: Sendable, Equatable {
        public var count: Int
        /// The highest row number now; 0 for an empty log.
        public var lastRow: Int64
        /// The run that used the others; nil if there was none.
        public var since: Int64?

        public init(count: Int, lastRow: Int64, since: Int64?) {
            self.count = count
            self.lastRow = lastRow
            self.since = since
        }
    }

    /// Records the start of a run and assigns its number.
    public func beginRun(started: Int64, isDryRun: Bool) throws(UnderstudyError) -> RedistillationRun {
        try write { database in
            // AUTOINCREMENT: numbers are never reused, even after removals.
            try database.execute(
                sql: "INSERT INTO run (started, outcome, dry, last_row, content, seal) VALUES (0, x'', 0, 0, x'', 0)")
            let run = RedistillationRun(
                number: database.lastInsertedRowID, started: started, isDryRun: isDryRun)
            try RunTable.put(run, in: database)
            return run
        }
    }

    /// Records the present state of a run.
    public func update(_ run: RedistillationRun) throws(UnderstudyError) {
        try write { try RunTable.put(run, in: $0) }
    }

    /// Runs, newest first. Damaged rows are left out and reported.
    public func runs(limit: Int) throws(UnderstudyError) -> [RedistillationRun] {
        let (runs, damaged) = try read { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT \(RunTable.columns) FROM run ORDER BY number DESC LIMIT ?",
                arguments: [max(0, limit)])
            let runs = rows.compactMap(RunTable.decode)
            return (runs, rows.count - runs.count)
        }
        if damaged > 0 {
            report(UnderstudyError(.inputOutput, "\(damaged) rows about runs are damaged and were left out", at: path))
        }
        return runs
    }

    /// Marks runs that are still recorded as running as interrupted. May be called only by the holder of the runs'
    /// lock.
    @discardableResult
    public func markInterruptedRuns(now: Int64) throws(UnderstudyError) -> Int {
        try write { database in
            let running = try Row.fetchAll(
                database, sql: "SELECT \(RunTable.columns) FROM run WHERE outcome = ?",
                arguments: [StoredText.bytes(RedistillationRun.Outcome.running.rawValue)])
            for var run in running.compactMap(RunTable.decode) {
                run.outcome = .interrupted
                run.finished = now
                run.content.reason = "the run was killed; the serving student stayed"
                try RunTable.put(run, in: database)
            }
            return running.count
        }
    }

    /// The rows added to the log since the last run that used it. Determined by row numbers, since clocks may jump.
    public func newRows() throws(UnderstudyError) -> NewRows {
        let used = try runs(limit: 1000).first { $0.outcome.usesRows && !$0.isDryRun }
        return try read { database in
            let last =
                try Row.fetchOne(database, sql: "SELECT coalesce(max(number), 0) FROM disagreement")
                .flatMap { StoredNumber.integer($0, 0) } ?? 0
            let count =
                try Row.fetchOne(
                    database, sql: "SELECT count(*) FROM disagreement WHERE number > ?", arguments: [used?.lastRow ?? 0]
                ).flatMap { StoredNumber.integer($0, 0) } ?? 0
            return NewRows(count: Int(count), lastRow: last, since: used?.number)
        }
    }

    /// The agreement with the teacher over the newest (or oldest) `limit` audited lines of the student with this name.
    public func auditAgreement(
        student: String, limit: Int, oldestFirst: Bool = false
    ) throws(UnderstudyError) -> Agreement {
        try read { database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT count(*), coalesce(sum(agreed), 0) FROM (
                        SELECT agreed FROM disagreement
                        WHERE reason = 1 AND pairing IN (SELECT number FROM pairing WHERE student = ?)
                        ORDER BY number \(oldestFirst ? "ASC" : "DESC") LIMIT ?)
                    """, arguments: [StoredText.bytes(student), max(0, limit)])
            return Agreement(
                asked: Int(row.flatMap { StoredNumber.integer($0, 0) } ?? 0),
                agreed: Int(row.flatMap { StoredNumber.integer($0, 1) } ?? 0))
        }
    }
}

/// The table of re-distillation runs. Values that SQL queries use have columns of their own; the rest is one JSON
/// value.
enum RunTable {
    static let columns = "number, started, finished, outcome, dry, last_row, content, seal"

    static func put(_ run: RedistillationRun, in database: Database) throws {
        let content = try encoded(run.content)
        try database.execute(
            sql: "INSERT OR REPLACE INTO run (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                run.number, run.started, run.finished, StoredText.bytes(run.outcome.rawValue), run.isDryRun ? 1 : 0,
                run.lastRow, content, seal(run, content: content),
            ])
    }

    /// nil if the row's seal is invalid.
    static func decode(_ row: Row) -> RedistillationRun? {
        guard let number = StoredNumber.integer(row, 0), let started = StoredNumber.integer(row, 1),
            let outcome = StoredText.text(row, 3).flatMap(RedistillationRun.Outcome.init(rawValue:)),
            let dry = StoredNumber.integer(row, 4), let lastRow = StoredNumber.integer(row, 5),
            let content = StoredBytes.read(row, 6, { Data($0) }),
            let decoded = try? JSONDecoder().decode(RedistillationRun.Content.self, from: content)
        else { return nil }
        var run = RedistillationRun(number: number, started: started, isDryRun: dry != 0)
        run.finished = StoredNumber.integer(row, 2)
        run.outcome = outcome
        run.lastRow = lastRow
        run.content = decoded
        return seal(run, content: content) == StoredNumber.integer(row, 7) ? run : nil
    }

    private static func encoded(_ content: RedistillationRun.Content) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(content)
    }

    private static func seal(_ run: RedistillationRun, content: Data) -> Int64 {
        var hash = RowSeal(.run)
        hash.add(run.number)
        hash.add(run.started)
        hash.add(run.finished ?? .min)
        hash.add(run.outcome.rawValue)
        hash.add(Int64(run.isDryRun ? 1 : 0))
        hash.add(run.lastRow)
        hash.add(String(decoding: content, as: UTF8.self))
        return hash.value
    }
}

extension Store {
    /// Calls `body` with the newest `count` rows up to the row number `lastRow`, in the order of arrival, with their
    /// numbers; returns how many were damaged and left out.
    ///
    /// Reads a page at a time and holds no snapshot in between: the daemon continues to write and prune meanwhile.
    @discardableResult
    public func forEachRow(
        newest count: Int, upTo lastRow: Int64, _ body: (DisagreementRow, Int64) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Int {
        let first = try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT coalesce(min(number), 0) FROM
                        (SELECT number FROM disagreement WHERE number <= ? ORDER BY number DESC LIMIT ?)
                    """, arguments: [lastRow, max(0, count)]
            ).flatMap { StoredNumber.integer($0, 0) } ?? 0
        }
        guard count > 0 else { return 0 }
        var next = first
        var damaged = 0
        while true {
            let page = try read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT disagreement.number, \(DisagreementTable.columns) FROM \(DisagreementTable.tables)
                        WHERE disagreement.number >= ? AND disagreement.number <= ?
                        ORDER BY disagreement.number LIMIT \(Self.harvestPage)
                        """, arguments: [next, lastRow]
                ).map { (StoredNumber.integer($0, 0), DisagreementTable.decode($0, first: 1)) }
            }
            for (number, row) in page {
                if let number, let row { try body(row, number) } else { damaged += 1 }
            }
            guard page.count == Self.harvestPage, let last = page.last?.0, last < .max else { return damaged }
            next = last + 1
        }
    }

    /// Few enough for lines of a mebibyte.
    private static let harvestPage = 64
}
