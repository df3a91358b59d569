/// A line about which the two models said different labels, as the status shows it.
public struct DisagreementSummary: Sendable, Equatable, Codable {
    /// Long texts may come cut.
    public var text: String
    public var source: String
    /// In seconds since 1970.
    public var time: Double
    /// `deferred` or `audit`.
    public var reason: String
    public var studentLabel: String
    public var studentConfidence: Double
    public var teacherLabel: String
    public var teacherConfidence: Double

    public init(
        text: String, source: String, time: Double, reason: String, studentLabel: String, studentConfidence: Double,
        teacherLabel: String, teacherConfidence: Double
    ) {
        self.text = text
        self.source = source
        self.time = time
        self.reason = reason
        self.studentLabel = studentLabel
        self.studentConfidence = studentConfidence
        self.teacherLabel = teacherLabel
        self.teacherConfidence = teacherConfidence
    }
}
