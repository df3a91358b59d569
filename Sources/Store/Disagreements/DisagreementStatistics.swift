import Bytes
import Diagnostics
import GRDB
import Streams

/// How often two models agreed.
public struct Agreement: Sendable, Equatable {
    /// The number of compared lines.
    public var asked: Int
    public var agreed: Int

    public init(asked: Int = 0, agreed: Int = 0) {
        self.asked = asked
        self.agreed = agreed
    }

    /// nil if no lines were compared.
    public var share: Double? { asked > 0 ? Double(agreed) / Double(asked) : nil }
}

/// The agreement within an interval of time.
public struct AgreementInterval: Sendable, Equatable {
    /// The start of the interval, microseconds since 1970.
    public var start: Int64
    public var agreement: Agreement

    public init(start: Int64, agreement: Agreement) {
        self.start = start
        self.agreement = agreement
    }
}

/// Statistics over rows of the log.
public struct DisagreementStatistics: Sendable, Equatable {
    /// Lines with this label by the student and that one by the teacher.
    public struct LabelPair: Sendable, Equatable {
        public var student: String
        public var teacher: String
        public var rows: Int
        /// The newest such line.
        public var example: String
    }

    public var all = Agreement()
    /// Audited lines: this estimates how good the student's own answers are.
    public var audit = Agreement()
    public var deferred = Agreement()
    /// Days in UTC, oldest first; days without rows are left out.
    public var days: [AgreementInterval] = []
    /// The most frequent first.
    public var pairs: [LabelPair] = []
    /// On the lines with a human label, how often it agrees with each model.
    public var humanWithStudent = Agreement()
    public var humanWithTeacher = Agreement()

    public init() {}

    public var humanLabels: Int { humanWithStudent.asked }
}

extension Store {
    /// Statistics over the rows that match the filter, with the `pairs` most frequent label pairs. Reads all those
    /// rows.
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

    /// For each of the last `hours` hours, oldest first: the number of audited lines, and on how many the models
    /// agreed. The last hour is the one that contains `now` (microseconds since 1970). Uses an index.
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

extension DisagreementStatistics {
    /// The statistics as text with a final newline; examples are cut to fit into `width` columns.
    public func text(width: Int?) -> String {
        guard all.asked > 0 else { return "The log has no such rows.\n" }
        var text = PrintableText.table(
            [
                ["", "rows", "agreed", "agreement"], Self.row("all", all), Self.row("sure lines (audit)", audit),
                Self.row("unsure lines (deferred)", deferred),
            ])
        text += "\n"
        if humanLabels > 0 {
            text += PrintableText.table(
                [
                    ["human labels", "rows", "agreed", "agreement"], Self.row("with the student", humanWithStudent),
                    Self.row("with the teacher", humanWithTeacher),
                ])
        } else {
            text += "no human labels yet\n"
        }
        if !pairs.isEmpty {
            let rows = pairs.map { pair in
                [
                    DisagreementListing.label(pair.student), DisagreementListing.label(pair.teacher),
                    NumberText.grouped(pair.rows),
                    PrintableText.escaped(PrintableText.cut(pair.example, columns: width ?? Self.longestExample)),
                ]
            }
            let table = PrintableText.table(
                [["student says", "teacher says", "rows", "the newest"]] + rows, leftAligned: [0, 1, 3])
            text += "\n"
            for line in table.split(separator: "\n") {
                text += (width.map { PrintableText.cut(String(line), columns: $0) } ?? String(line)) + "\n"
            }
        }
        text += "\n"
        text += PrintableText.table(
            [["day (UTC)", "rows", "agreed", "agreement"]]
                + days.map { Self.row(TimeText.date($0.start), $0.agreement) })
        return text
    }

    private static let longestExample = 80

    private static func row(_ name: String, _ agreement: Agreement) -> [String] {
        [
            name, NumberText.grouped(agreement.asked), NumberText.grouped(agreement.agreed),
            agreement.share.map { NumberText.percent($0) } ?? "–",
        ]
    }

    /// The statistics as one JSON object on one line, with its newline.
    public func json() -> String {
        func agreement(_ value: Agreement) -> JSONTree {
            .members(["rows": .integer(value.asked), "agreed": .integer(value.agreed)])
        }
        let statistics = JSONTree.members([
            "all": agreement(all), "audit": agreement(audit), "deferred": agreement(deferred),
            "human_with_student": agreement(humanWithStudent), "human_with_teacher": agreement(humanWithTeacher),
            "pairs": .array(
                pairs.map { pair in
                    .members([
                        "student_label": .string(pair.student), "teacher_label": .string(pair.teacher),
                        "rows": .integer(pair.rows), "example": .string(pair.example),
                    ])
                }),
            "days": .array(
                days.map { day in
                    .members(["day": .string(TimeText.date(day.start)), "agreement": agreement(day.agreement)])
                }),
        ])
        return statistics.written(.compact, escapes: .fewest) + "\n"
    }
}
