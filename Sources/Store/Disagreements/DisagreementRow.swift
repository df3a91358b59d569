/// A line that the teacher saw, and what both models said.
public struct DisagreementRow: Sendable, Equatable {
    /// Why the teacher was asked.
    public enum Reason: String, Sendable, CaseIterable {
        /// The student was unsure.
        case deferred
        /// The student was sure; a share of such lines is asked about to estimate agreement and drift.
        case audit
    }

    /// The record's id, 16 hexadecimal digits as a number.
    public var id: UInt64
    public var source: String
    public var text: String
    /// Microseconds since 1970.
    public var time: Int64
    public var reason: Reason
    /// In the order of `labels`.
    public var studentLogits: [Float]
    public var teacherLogits: [Float]
    /// The student's labels in the order of its logits; the teacher's logits have been put into the same order.
    public var labels: [String]
    public var studentLabel: String
    public var teacherLabel: String
    /// Probability of `studentLabel` after temperature, and of `teacherLabel`.
    public var studentConfidence: Float
    public var teacherConfidence: Float
    public var student: String
    public var teacher: String
    /// SHA-256 of the teacher's files; empty where it isn't known.
    public var teacherFingerprint: String
    /// What a human said, if one was asked.
    public var humanLabel: String?

    /// Whether both models gave the same label.
    public var agrees: Bool { studentLabel == teacherLabel }

    public init(
        id: UInt64, source: String, text: String, time: Int64, reason: Reason, studentLogits: [Float],
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
