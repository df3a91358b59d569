/// Where a student comes from: `lineage.json` beside its files. Times are microseconds since 1970.
public struct StudentLineage: Sendable, Equatable, Codable {
    public static let fileName = "lineage.json"

    public var version: String
    /// Of the model's files (`Fingerprint.of(model:)`); compared with them whenever the student is loaded.
    public var fingerprint: String
    public var createdAt: Int64
    /// The run that made it; nil for one that was adopted.
    public var run: Int64?
    /// The student whose weights it began with.
    public var parent: String?
    public var parentFingerprint: String?
    public var teacher: String?
    public var teacherFingerprint: String?
    /// When the first and the last line of the log that it learnt from were answered.
    public var firstRowTime: Int64?
    public var lastRowTime: Int64?
    /// Lines of the log, those of them with a human's label, and lines of the base transfer set.
    public var logRows: Int
    public var humanLabels: Int
    public var replayRows: Int
    public var trainFingerprint: String?
    public var holdoutFingerprint: String?
    public var seed: Int?
    public var holdoutAccuracy: Double?
    public var reference: StudentReference?

    public init(version: String, createdAt: Int64) {
        self.version = version
        self.createdAt = createdAt
        fingerprint = ""
        logRows = 0
        humanLabels = 0
        replayRows = 0
    }
}
