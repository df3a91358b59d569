import Diagnostics
import Foundation
import GRDB
import Streams

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
        return try rows(sql, arguments + [max(0, limit)], Self.damagedRows) { DisagreementTable.decode($0) }
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
        let damaged = try forEachRow(sql, arguments, after: [.min, .min]) {
            (row, _) throws(UnderstudyError) in try body(row)
        }
        reportDamaged(damaged, Self.damagedRows)
    }

    /// Calls `body` with the newest `count` rows up to the row number `lastRow`, in the order of arrival, with their
    /// numbers; returns how many were damaged and left out. Reads by pages, as `forEachDisagreement` does.
    @discardableResult
    public func forEachRow(
        newest count: Int, upTo lastRow: Int64, _ body: (DisagreementRow, Int64) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Int {
        guard count > 0 else { return 0 }
        let first = try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT coalesce(min(number), 0) FROM
                        (SELECT number FROM disagreement WHERE number <= ? ORDER BY number DESC LIMIT ?)
                    """, arguments: [lastRow, count]
            ).flatMap { StoredNumber.integer($0, 0) } ?? 0
        }
        let sql = """
            SELECT disagreement.number, \(DisagreementTable.columns) FROM \(DisagreementTable.tables)
            WHERE disagreement.number <= ? AND disagreement.number > ?
            ORDER BY disagreement.number LIMIT \(Self.page)
            """
        return try forEachRow(sql, [lastRow], after: [max(first, .min + 1) - 1]) { (row, key) throws(UnderstudyError) in
            try body(row, key[0])
            return true
        }
    }

    /// Calls `body` with every row and its key until it returns false; returns how many rows were damaged. The first
    /// columns of `sql` are the key by which it sorts, its last arguments the key of the row before the page.
    private func forEachRow(
        _ sql: String, _ arguments: StatementArguments, after start: [Int64],
        _ body: (DisagreementRow, [Int64]) throws(UnderstudyError) -> Bool
    ) throws(UnderstudyError) -> Int {
        var last = start
        var damaged = 0
        while true {
            let page = try read { database in
                try Row.fetchAll(database, sql: sql, arguments: arguments + StatementArguments(last)).map { row in
                    let key = start.indices.compactMap { StoredNumber.integer(row, $0) }
                    guard key.count == start.count else {
                        throw StoreDamage(reason: "a row of the disagreement log is malformed")
                    }
                    return (key: key, row: DisagreementTable.decode(row, first: key.count))
                }
            }
            damaged += page.count { $0.row == nil }
            for (key, row) in page {
                if let row, try !body(row, key) { return damaged }
            }
            guard page.count == Self.page, let end = page.last?.key, last.lexicographicallyPrecedes(end) else {
                return damaged
            }
            last = end
        }
    }

    /// Rows read at a time: enough for speed, few enough for lines of a mebibyte.
    private static let page = 64
    private static let damagedRows = "rows of the disagreement log"
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

/// The table of the lines that the teacher answered, and the names of the models that answered.
enum DisagreementTable {
    static let columns = """
        disagreement.id, disagreement.time, disagreement.reason, disagreement.source, disagreement.text, \
        disagreement.student_label, disagreement.teacher_label, disagreement.student_confidence, \
        disagreement.teacher_confidence, disagreement.student_logits, disagreement.teacher_logits, \
        disagreement.seal, disagreement.human_label, pairing.student, pairing.teacher, pairing.labels, \
        pairing.teacher_fingerprint
        """

    /// The tables of `columns`.
    static let tables = "disagreement JOIN pairing ON pairing.number = disagreement.pairing"

    /// Stores a row, unless the same line with the same models exists. `number` is its place in the order of arrival;
    /// nil appends it, behind all present rows and all that a run has used.
    static func insert(_ row: DisagreementRow, number: Int64? = nil, into database: Database) throws {
        let pairing = try pairing(of: row, in: database)
        let number = try number ?? nextNumber(in: database)
        try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO disagreement (number, id, pairing, time, reason, agreed, source, text,
                    student_label, teacher_label, student_confidence, teacher_confidence, student_logits,
                    teacher_logits, seal, human_label)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            number, Int64(bitPattern: row.id), pairing, row.time, self.number(of: row.reason), row.agrees ? 1 : 0,
            StoredText.bytes(row.source), StoredText.bytes(row.text), StoredText.bytes(row.studentLabel),
            StoredText.bytes(row.teacherLabel), Double(row.studentConfidence), Double(row.teacherConfidence),
            StoredList.bytes(row.studentLogits), StoredList.bytes(row.teacherLogits), seal(row),
            row.humanLabel.map(StoredText.bytes),
        ])
    }

    /// nil if the row's seal is invalid. `first` is the index of the first of `columns`.
    static func decode(_ row: Row, first: Int = 0) -> DisagreementRow? {
        guard let id = StoredNumber.unsigned(row, first), let time = StoredNumber.integer(row, first + 1),
            let reason = StoredNumber.integer(row, first + 2).flatMap(reason(of:)),
            let source = StoredText.text(row, first + 3), let text = StoredText.text(row, first + 4),
            let studentLabel = StoredText.text(row, first + 5), let teacherLabel = StoredText.text(row, first + 6),
            let studentConfidence = StoredNumber.float(row, first + 7),
            let teacherConfidence = StoredNumber.float(row, first + 8),
            let studentLogits = StoredList.floats(row, first + 9),
            let teacherLogits = StoredList.floats(row, first + 10),
            let seal = StoredNumber.integer(row, first + 11), let student = StoredText.text(row, first + 13),
            let teacher = StoredText.text(row, first + 14), let labels = StoredList.texts(row, first + 15),
            let fingerprint = StoredText.text(row, first + 16)
        else { return nil }
        let decoded = DisagreementRow(
            id: id, source: source, text: text, time: time, reason: reason, studentLogits: studentLogits,
            teacherLogits: teacherLogits, labels: labels, studentLabel: studentLabel, teacherLabel: teacherLabel,
            studentConfidence: studentConfidence, teacherConfidence: teacherConfidence, student: student,
            teacher: teacher, teacherFingerprint: fingerprint, humanLabel: StoredText.text(row, first + 12))
        return self.seal(decoded) == seal ? decoded : nil
    }

    /// SQLite's own choice would reuse the number of the newest row once that has been pruned, and a run would take the
    /// new row for one that it has used.
    private static func nextNumber(in database: Database) throws -> Int64? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT max(coalesce((SELECT max(number) FROM disagreement), 0),
                    coalesce((SELECT max(last_row) FROM run), 0))
                """)
        let last = try Row.fetchOne(statement).flatMap { StoredNumber.integer($0, 0) } ?? 0
        // After the largest number SQLite searches for a free one.
        return last < .max ? last + 1 : nil
    }

    static func number(of reason: TeacherReason) -> Int64 {
        switch reason {
        case .deferred: 0
        case .audit: 1
        }
    }

    static func reason(of number: Int64) -> TeacherReason? {
        TeacherReason.allCases.first { self.number(of: $0) == number }
    }

    private static func pairing(of row: DisagreementRow, in database: Database) throws -> Int64 {
        let key: StatementArguments = [
            StoredText.bytes(row.student), StoredText.bytes(row.teacher), StoredList.bytes(row.labels),
            StoredText.bytes(row.teacherFingerprint),
        ]
        let find = try database.cachedStatement(
            sql: """
                SELECT number FROM pairing
                WHERE student = ? AND teacher = ? AND labels = ? AND teacher_fingerprint = ?
                """)
        if let known = try Row.fetchOne(find, arguments: key).flatMap({ StoredNumber.integer($0, 0) }) { return known }
        try database.cachedStatement(
            sql: "INSERT INTO pairing (student, teacher, labels, teacher_fingerprint) VALUES (?, ?, ?, ?)"
        ).execute(arguments: key)
        return database.lastInsertedRowID
    }

    /// Covers everything but the human label, which is added later, and the teacher's fingerprint, which rows of the
    /// first schema lack.
    private static func seal(_ row: DisagreementRow) -> Int64 {
        var hash = RowSeal(.disagreement)
        hash.add(row.id)
        hash.add(row.time)
        hash.add(number(of: row.reason))
        for text in [row.source, row.text, row.studentLabel, row.teacherLabel, row.student, row.teacher] {
            hash.add(text)
        }
        for label in row.labels { hash.add(label) }
        // As SQLite returns them: one NaN, and no negative zero.
        hash.add([row.studentConfidence, row.teacherConfidence].map { $0.isNaN ? .nan : $0 == 0 ? 0 : $0 })
        hash.add(row.studentLogits)
        hash.add(row.teacherLogits)
        return hash.value
    }
}
