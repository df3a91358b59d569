import Text

/// Tokenised lines with the index of each one's label.
public struct TeacherTrainingSet: Sendable {
    public var tokens = TokenBatch()
    /// `tokens.count` label indices.
    public var labels: [Int] = []

    public init() {}

    public var count: Int { labels.count }

    public mutating func append(ids: some Sequence<Int32>, label: Int) {
        tokens.append(ids: ids)
        labels.append(label)
    }
}
