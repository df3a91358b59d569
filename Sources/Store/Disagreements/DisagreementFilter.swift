import GRDB

/// Which rows of the log are asked for. Each field that is set narrows the choice.
public struct DisagreementFilter: Sendable, Equatable {
    /// Microseconds since 1970: from this moment on, and before that one.
    public var since: Int64?
    public var until: Int64?
    public var reason: DisagreementRow.Reason?
    public var source: String?
    public var studentLabel: String?
    public var teacherLabel: String?
    /// Only rows on which the models differ; otherwise every line the teacher saw.
    public var onlyDisagreements: Bool
    /// Only rows that no human has labelled.
    public var onlyUnlabelled: Bool

    public init(
        since: Int64? = nil, until: Int64? = nil, reason: DisagreementRow.Reason? = nil, source: String? = nil,
        studentLabel: String? = nil, teacherLabel: String? = nil, onlyDisagreements: Bool = false,
        onlyUnlabelled: Bool = false
    ) {
        self.since = since
        self.until = until
        self.reason = reason
        self.source = source
        self.studentLabel = studentLabel
        self.teacherLabel = teacherLabel
        self.onlyDisagreements = onlyDisagreements
        self.onlyUnlabelled = onlyUnlabelled
    }

    /// What goes behind WHERE.
    var condition: (sql: String, arguments: StatementArguments) {
        var terms: [String] = []
        var arguments: StatementArguments = []
        func add(_ term: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            terms.append("disagreement." + term)
            arguments += [value]
        }
        add("time >= ?", since)
        add("time < ?", until)
        add("reason = ?", reason.map(DisagreementTable.number(of:)))
        add("source = ?", source.map(StoredText.bytes))
        add("student_label = ?", studentLabel.map(StoredText.bytes))
        add("teacher_label = ?", teacherLabel.map(StoredText.bytes))
        if onlyDisagreements { terms.append("disagreement.agreed = 0") }
        if onlyUnlabelled { terms.append("disagreement.human_label IS NULL") }
        return (terms.isEmpty ? "TRUE" : terms.joined(separator: " AND "), arguments)
    }
}
