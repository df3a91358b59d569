import Models
import Tensors
import Text

/// All lines of a training set in the student's encoding, encoded once.
public struct EncodedCorpus: Sendable {
    public private(set) var lines = StudentBatch()

    public init() {}

    /// Encodes every line of `batch` with `features`.
    public init(_ batch: LineBatch, with features: StudentFeatures) {
        append(batch, with: features)
    }

    public mutating func append(_ batch: LineBatch, with features: StudentFeatures) {
        let scratch = TokenizerScratch()
        batch.forEachLine { _, line in features.append(line, to: &lines, scratch: scratch) }
    }

    public init(_ lines: StudentBatch) {
        self.lines = lines
    }

    public var count: Int { lines.count }

    /// Appends lines `indices` to `batch`.
    public func gather(_ indices: some Sequence<Int>, into batch: inout StudentBatch) {
        for index in indices {
            let tokens = Int(lines.tokens.offsets[index])..<Int(lines.tokens.offsets[index + 1])
            batch.tokens.append(ids: lines.tokens.ids[tokens])
            let buckets = Int(lines.buckets.offsets[index])..<Int(lines.buckets.offsets[index + 1])
            batch.buckets.append(ids: lines.buckets.ids[buckets])
        }
    }
}

/// The target of each training line: its label and its teacher logits, by the line's index in the set.
public struct TrainingTargets: Sendable {
    /// Index of the label, or negative if unknown.
    public var labels: [Int32]
    /// (lines, C), or nil without a teacher. A row of NaN means that the line has no teacher logits.
    public var logits: Matrix?

    public init(labels: [Int32], logits: Matrix?) {
        precondition(logits.map { $0.rows == labels.count } ?? true, "logits for other lines")
        self.labels = labels
        self.logits = logits
    }

    public func teacher(_ line: Int) -> UnsafePointer<Float>? {
        guard let row = logits?.row(line), !row[0].isNaN else { return nil }
        return UnsafePointer(row)
    }
}
