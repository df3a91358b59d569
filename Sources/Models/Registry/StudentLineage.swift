import Diagnostics
import Foundation

/// The origin of a student: `lineage.json` beside its files. Times are microseconds since 1970.
public struct StudentLineage: Sendable, Equatable, Codable {
    public static let fileName = "lineage.json"

    public var version: String
    /// Of the model's files (`Fingerprint.of(model:)`); compared with them whenever the student is loaded.
    public var fingerprint: String
    public var createdAt: Int64
    /// The run that made it; nil for an adopted student.
    public var run: Int64?
    /// The student whose weights it was initialised with.
    public var parent: String?
    public var parentFingerprint: String?
    public var teacher: String?
    public var teacherFingerprint: String?
    /// When the first and the last line of the log that it was trained on were answered.
    public var firstRowTime: Int64?
    public var lastRowTime: Int64?
    /// The number of lines of the log, of those with a human label, and of lines of the base transfer set.
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

extension StudentLineage {
    /// More than any lineage; a hostile file mustn't exhaust the memory.
    private static let mostBytes = 4 << 20

    /// Errors: `missingInput`; `noPermission`; `invalidData` if it isn't a lineage.
    static func read(path: String) throws(UnderstudyError) -> StudentLineage {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
            size <= mostBytes, let data = FileManager.default.contents(atPath: path)
        else { throw PathLookup.unreadable(path) }
        guard let lineage = try? JSONDecoder().decode(StudentLineage.self, from: data) else {
            throw UnderstudyError(.invalidData, "isn't the lineage of a student", at: path)
        }
        return lineage
    }
}

/// The distribution of a student's answers when it was made, for the detection of drift.
///
/// Measured on the holdout: on lines that it was trained on, the student would be too confident.
public struct StudentReference: Sendable, Equatable, Codable {
    public var labels: [String]
    /// The share of each label in the student's answers, in the order of `labels`.
    public var labelShares: [Double]
    /// Shares of its confidences (after temperature) in equal bins over 0 … 1.
    public var confidenceShares: [Double]
    /// Share of tokens that the tokenizer doesn't know; nil if the tokenizer has no unknown token.
    public var unknownTokenShare: Double?
    public var lines: Int

    public static let confidenceBins = 20

    public init(
        labels: [String], labelShares: [Double], confidenceShares: [Double], unknownTokenShare: Double?, lines: Int
    ) {
        self.labels = labels
        self.labelShares = labelShares
        self.confidenceShares = confidenceShares
        self.unknownTokenShare = unknownTokenShare
        self.lines = lines
    }

    /// Computed from a student's answers to n lines: indices into `labels`, and confidences from 0 to 1.
    public init(labels: [String], predicted: [Int32], confidences: [Float], unknownTokenShare: Double?) {
        var labelCounts = [Int](repeating: 0, count: labels.count)
        for index in predicted where labels.indices.contains(Int(index)) { labelCounts[Int(index)] += 1 }
        var bins = [Int](repeating: 0, count: Self.confidenceBins)
        for confidence in confidences { bins[Self.bin(confidence)] += 1 }
        func shares(_ counts: [Int]) -> [Double] {
            let total = max(1, counts.reduce(0, +))
            return counts.map { Double($0) / Double(total) }
        }
        self.init(
            labels: labels, labelShares: shares(labelCounts), confidenceShares: shares(bins),
            unknownTokenShare: unknownTokenShare, lines: predicted.count)
    }

    /// The bin of a confidence; NaN falls into the first.
    public static func bin(_ confidence: Float) -> Int {
        guard confidence > 0 else { return 0 }
        return min(Int(confidence * Float(confidenceBins)), confidenceBins - 1)
    }
}
