import Diagnostics
import GRDB

extension Store {
    /// Figures over the rows that pass the filter, with the `pairs` most frequent label pairs. Reads all those rows.
    public func disagreementStatistics(
        matching filter: DisagreementFilter = DisagreementFilter(), pairs: Int = 10
    ) throws(UnderstudyError) -> DisagreementStatistics {
        let (condition, arguments) = filter.condition
        return try read { database in
            func rows(_ sql: String, _ more: StatementArguments = []) throws -> [Row] {
                try Row.fetchAll(database, sql: sql, arguments: arguments + more)
            }
            var statistics = DisagreementStatistics()
            let reasons = try rows(
                "SELECT reason, count(*), sum(agreed) FROM disagreement WHERE \(condition) GROUP BY reason")
            for row in reasons {
                let agreement = Self.agreement(row, 1)
                statistics.all.asked += agreement.asked
                statistics.all.agreed += agreement.agreed
                switch StoredNumber.integer(row, 0).flatMap(DisagreementTable.reason(of:)) {
                case .audit: statistics.audit = agreement
                case .deferred: statistics.deferred = agreement
                case nil: break
                }
            }
            statistics.days = try rows(
                """
                SELECT time / \(TimeText.day) AS day, count(*), sum(agreed) FROM disagreement WHERE \(condition)
                GROUP BY day ORDER BY day
                """
            ).map { Self.interval($0, length: TimeText.day) }
            statistics.pairs = try rows(
                """
                SELECT pair.student_label, pair.teacher_label, pair.count, disagreement.text FROM (
                    SELECT student_label, teacher_label, count(*) AS count, max(number) AS newest FROM disagreement
                    WHERE \(condition) AND agreed = 0 GROUP BY student_label, teacher_label
                    ORDER BY count DESC, student_label, teacher_label LIMIT ?) AS pair
                JOIN disagreement ON disagreement.number = pair.newest
                ORDER BY pair.count DESC, pair.student_label, pair.teacher_label
                """, [max(0, pairs)]
            ).map { row in
                DisagreementStatistics.LabelPair(
                    student: StoredText.text(row, 0) ?? "", teacher: StoredText.text(row, 1) ?? "",
                    rows: Int(StoredNumber.integer(row, 2) ?? 0), example: StoredText.text(row, 3) ?? "")
            }
            let humans = try rows(
                """
                SELECT count(*), sum(human_label = student_label), sum(human_label = teacher_label) FROM disagreement
                WHERE \(condition) AND human_label IS NOT NULL
                """)
            for row in humans {
                let asked = Int(StoredNumber.integer(row, 0) ?? 0)
                statistics.humanWithStudent = Agreement(asked: asked, agreed: Int(StoredNumber.integer(row, 1) ?? 0))
                statistics.humanWithTeacher = Agreement(asked: asked, agreed: Int(StoredNumber.integer(row, 2) ?? 0))
            }
            return statistics
        }
    }

    /// For each of the last `hours` hours, oldest first: how many sure lines were asked about for the audit, and on how
    /// many the models agreed. The last hour is the one that holds `now` (microseconds since 1970). An index answers it.
    public func auditAgreement(hours: Int, now: Int64) throws(UnderstudyError) -> [AgreementInterval] {
        let last = now / TimeText.hour
        let first = last - Int64(max(1, hours)) + 1
        var intervals = (first...last).map { AgreementInterval(start: $0 * TimeText.hour, agreement: Agreement()) }
        let found = try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT time / \(TimeText.hour) AS hour, count(*), sum(agreed) FROM disagreement
                    WHERE reason = 1 AND time >= ? AND time < ? GROUP BY hour
                    """, arguments: [first * TimeText.hour, (last + 1) * TimeText.hour]
            ).map { Self.interval($0, length: TimeText.hour) }
        }
        for interval in found {
            let index = Int(interval.start / TimeText.hour - first)
            if intervals.indices.contains(index) { intervals[index] = interval }
        }
        return intervals
    }

    private static func interval(_ row: Row, length: Int64) -> AgreementInterval {
        let number = StoredNumber.integer(row, 0) ?? 0
        return AgreementInterval(
            start: number.multipliedReportingOverflow(by: length).partialValue, agreement: agreement(row, 1))
    }

    private static func agreement(_ row: Row, _ first: Int) -> Agreement {
        Agreement(
            asked: Int(StoredNumber.integer(row, first) ?? 0), agreed: Int(StoredNumber.integer(row, first + 1) ?? 0))
    }
}
