import Diagnostics
import GRDB

extension Store {
    /// Rows of the log that no run has made use of yet.
    public struct NewRows: Sendable, Equatable {
        public var count: Int
        /// The highest number of a row now; 0 for an empty log.
        public var lastRow: Int64
        /// The run that had the others; nil where there was none.
        public var since: Int64?

        public init(count: Int, lastRow: Int64, since: Int64?) {
            self.count = count
            self.lastRow = lastRow
            self.since = since
        }
    }

    /// Notes the beginning of a run and gives it its number.
    public func beginRun(started: Int64, isDryRun: Bool) throws(UnderstudyError) -> RedistillationRun {
        try write { database in
            // AUTOINCREMENT: a number is never given twice, whatever is removed.
            try database.execute(
                sql: "INSERT INTO run (started, outcome, dry, last_row, content, seal) VALUES (0, x'', 0, 0, x'', 0)")
            let run = RedistillationRun(
                number: database.lastInsertedRowID, started: started, isDryRun: isDryRun)
            try RunTable.put(run, in: database)
            return run
        }
    }

    /// Notes what has become of a run.
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

    /// Runs that never said how they ended were killed. Only the holder of the runs' lock may call it.
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

    /// What is new in the log since the last run that made use of it. Goes by the numbers of rows: clocks jump.
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

    /// Over the newest `limit` audited lines that a student answered, by its name, or the oldest: how often the teacher
    /// said the same.
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
