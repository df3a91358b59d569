import Foundation
import GRDB
import Streams

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
