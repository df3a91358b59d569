/// A trained model that gives a line of text one logit per label: a student or a teacher.
///
/// Immutable and shared by all threads; each thread makes its own scorer.
public protocol LineClassifier: Sendable {
    /// Names in the order of the logits. The order belongs to the weights.
    var labels: [String] { get }
    /// How outputs and logs name this model (the directory's name, or what its config says).
    var version: String { get }

    func makeScorer() -> any LineScorer
}

/// One thread's use of a model: the model plus working memory that is kept from batch to batch.
public protocol LineScorer: AnyObject {
    /// Logits of every line of `batch`, written row-major (batch.count, labels.count) to `logits`.
    ///
    /// `logits` must have room for batch.count · labels.count values. An empty line is legal.
    /// A line's logits don't depend on what else is in the batch (up to f32 rounding).
    func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>)

    /// Tokens of the batch that was scored last, and those of them that the tokenizer doesn't know; zeros where nobody
    /// counts them.
    var tokenCounts: (all: Int, unknown: Int) { get }
}

extension LineScorer {
    public var tokenCounts: (all: Int, unknown: Int) { (0, 0) }
}
