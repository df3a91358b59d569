import GRDB
import Streams

/// A line that the teacher answered, and the answers of both models.
public struct DisagreementRow: Sendable, Equatable {
    /// The record's id, 16 hexadecimal digits as a number.
    public var id: UInt64
    public var source: String
    public var text: String
    /// Microseconds since 1970.
    public var time: Int64
    /// Why the line was passed to the teacher.
    public var reason: TeacherReason
    /// In the order of `labels`.
    public var studentLogits: [Float]
    public var teacherLogits: [Float]
    /// The student's labels in the order of its logits; the teacher's logits are stored in the same order.
    public var labels: [String]
    public var studentLabel: String
    public var teacherLabel: String
    /// Probability of `studentLabel` after temperature, and of `teacherLabel`.
    public var studentConfidence: Float
    public var teacherConfidence: Float
    public var student: String
    public var teacher: String
    /// SHA-256 of the teacher's files; empty if unknown.
    public var teacherFingerprint: String
    /// The human label, if any.
    public var humanLabel: String?

    /// Whether both models gave the same label.
    public var agrees: Bool { studentLabel == teacherLabel }

    public init(
        id: UInt64, source: String, text: String, time: Int64, reason: TeacherReason, studentLogits: [Float],
        teacherLogits: [Float], labels: [String], studentLabel: String, teacherLabel: String, studentConfidence: Float,
        teacherConfidence: Float, student: String, teacher: String, teacherFingerprint: String = "",
        humanLabel: String? = nil
    ) {
        self.id = id
        self.source = source
        self.text = text
        self.time = time
        self.reason = reason
        self.studentLogits = studentLogits
        self.teacherLogits = teacherLogits
        self.labels = labels
        self.studentLabel = studentLabel
        self.teacherLabel = teacherLabel
        self.studentConfidence = studentConfidence
        self.teacherConfidence = teacherConfidence
        self.student = student
        self.teacher = teacher
        self.teacherFingerprint = teacherFingerprint
        self.humanLabel = humanLabel
    }
}

/// Selects rows of the log. Each field that is set narrows the selection.
public struct DisagreementFilter: Sendable, Equatable {
    /// Microseconds since 1970: from this time (inclusive), and before that one.
    public var since: Int64?
    public var until: Int64?
    public var reason: TeacherReason?
    public var source: String?
    public var studentLabel: String?
    public var teacherLabel: String?
    /// Only rows in which the models disagree; otherwise every line that the teacher answered.
    public var onlyDisagreements: Bool
    /// Only rows without a human label.
    public var onlyUnlabelled: Bool

    public init(
        since: Int64? = nil, until: Int64? = nil, reason: TeacherReason? = nil, source: String? = nil,
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

    /// The condition for WHERE.
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

/// A human's label of a line.
public struct HumanLabel: Sendable, Equatable {
    /// The record's id.
    public var id: UInt64
    /// nil removes the label.
    public var label: String?

    public init(id: UInt64, label: String?) {
        self.id = id
        self.label = label
    }

    public enum Outcome: Sendable, Equatable {
        case kept
        /// The log has no such line, or no longer has it.
        case unknownID
        /// The models of that line don't have that label.
        case unknownLabel(known: [String])
    }
}
