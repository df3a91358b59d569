import Diagnostics
import Foundation
import GRDB

/// The stored record of one run of re-distillation.
public struct RedistillationRun: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable, Codable {
        case running
        /// The candidate serves.
        case promoted
        /// The candidate passed the gate and answers beside the serving student.
        case shadowing
        /// The candidate passed the gate in a dry run.
        case passed
        case refused
        case failed
        /// Killed, or stopped on request.
        case interrupted

        /// Whether a run with this outcome has used up the log's rows: another run with the same rows would have the
        /// same result.
        var usesRows: Bool { [.promoted, .shadowing, .refused].contains(self) }
    }

    /// The findings, stored as they become known.
    public struct Content: Sendable, Equatable, Codable {
        /// One sentence.
        public var reason = ""
        public var candidate: String?
        public var parent: String?
        public var teacher: String?
        public var teacherFingerprint: String?
        public var rowsRead = 0
        public var rowsLearnt = 0
        public var rowsHeldOut = 0
        public var humanLabels = 0
        public var replayed = 0
        public var criteria: [GateCriterion] = []
        /// The report page.
        public var report: String?
        public var seconds = 0.0
        public var peakBytes = 0

        public init() {}
    }

    public var number: Int64
    /// Microseconds since 1970.
    public var started: Int64
    public var finished: Int64?
    public var outcome: Outcome
    public var isDryRun: Bool
    /// The highest row number of the log that it used.
    public var lastRow: Int64
    public var content = Content()

    public init(number: Int64, started: Int64, isDryRun: Bool) {
        self.number = number
        self.started = started
        self.isDryRun = isDryRun
        outcome = .running
        lastRow = 0
    }
}

/// One row of a gate's table: a requirement for a candidate, and the measured value.
public struct GateCriterion: Sendable, Equatable, Codable {
    public enum Result: String, Sendable, CaseIterable, Codable {
        case passed
        case failed
        /// There was no data to measure it, or an earlier criterion had failed.
        case unmeasured
    }

    /// Machine-readable: snake_case, stable across releases.
    public var name: String
    /// For display.
    public var title: String
    public var measured: String
    public var threshold: String
    public var result: Result
    /// One sentence; may be empty.
    public var note: String

    private enum CodingKeys: String, CodingKey {
        case name, title, measured, threshold
        case result = "verdict"
        case note
    }

    public init(
        name: String, title: String, measured: String, threshold: String, result: Result, note: String = ""
    ) {
        self.name = name
        self.title = title
        self.measured = measured
        self.threshold = threshold
        self.result = result
        self.note = note
    }
}

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
        try rows(
            "SELECT \(RunTable.columns) FROM run ORDER BY number DESC LIMIT ?", [max(0, limit)], "rows about runs",
            RunTable.decode)
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
                run.content.reason = "the run was killed; the serving student was kept"
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
