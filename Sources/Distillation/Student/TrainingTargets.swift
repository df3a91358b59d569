import Tensors

/// What each training line should become: its label and its teacher logits, joined by the line's position in the set.
public struct TrainingTargets: Sendable {
    /// Position of the label, or negative where unknown.
    public var labels: [Int32]
    /// (lines, C), or nil when there is no teacher. A row of NaN has no teacher logits.
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
