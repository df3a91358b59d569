/// How often each label was taken for each: rows are true labels, columns predicted ones.
public struct ConfusionMatrix: Sendable, Equatable {
    /// Names in the order of rows and columns.
    public let labels: [String]
    /// Row-major (labels, labels).
    public private(set) var counts: [Int]

    /// `truth` and `predicted` are indices into `labels`, one pair a line.
    public init(labels: [String], truth: [Int32], predicted: [Int32]) {
        precondition(truth.count == predicted.count, "\(truth.count) labels for \(predicted.count) predictions")
        self.labels = labels
        counts = Array(repeating: 0, count: labels.count * labels.count)
        for (actual, said) in zip(truth, predicted) { counts[Int(actual) * labels.count + Int(said)] += 1 }
    }

    /// Lines of label `actual` that were taken for `predicted`.
    public subscript(actual: Int, predicted: Int) -> Int { counts[actual * labels.count + predicted] }

    /// Lines in all.
    public var total: Int { counts.reduce(0, +) }
    /// Lines on the diagonal.
    public var correct: Int { labels.indices.reduce(0) { $0 + self[$1, $1] } }
    /// Lines whose true label is `label`.
    public func support(_ label: Int) -> Int { labels.indices.reduce(0) { $0 + self[label, $1] } }
    /// Lines that were taken for `label`.
    public func predictedCount(_ label: Int) -> Int { labels.indices.reduce(0) { $0 + self[$1, label] } }
}
