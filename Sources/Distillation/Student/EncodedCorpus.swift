import Models
import Text

/// All lines of a training set as the student reads them, encoded once.
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
