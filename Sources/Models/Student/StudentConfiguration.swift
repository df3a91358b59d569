import Diagnostics

/// What a student is made of: everything about it except the values of its weights. Stored in `config.json`.
public struct StudentConfiguration: Sendable, Equatable {
    /// What the biLSTM reads.
    public enum Input: String, Sendable, CaseIterable {
        /// One step per token.
        case tokens
        /// One step per line: the mean of its token vectors (the seed article's variant).
        case sentenceVector = "sentence-vector"
    }

    /// How the hidden states of a line become one vector.
    public enum Pooling: String, Sendable, CaseIterable {
        /// The final state of each direction (Tang et al. 2019, §3.1).
        case last
        /// The maximum of each unit over time.
        case max
        /// The mean of each unit over time.
        case mean
    }

    public static let modelType = "understudy-bilstm"

    /// How outputs name this student.
    public var version: String
    public var input = Input.tokens
    /// V: rows of the embedding.
    public var vocabularySize: Int
    /// E: embedding dimensions.
    public var embeddingSize: Int
    /// H: hidden units of each direction.
    public var hiddenSize: Int
    /// D: units of the dense layer between pooling and logits.
    public var denseSize: Int
    /// One or more, concatenated in this order.
    public var pooling: [Pooling]
    /// Rows of the shortcut's table of hashed character n-grams (`NGramHasher`); 0 for no shortcut, a power of two from
    /// 2 on otherwise.
    public var shortcutBuckets = 0
    /// Nil for a student whose every line takes the biLSTM.
    public var earlyExit: EarlyExit?
    /// A line is cut to this many tokens.
    public var maximumTokens: Int
    /// In the order of the logits.
    public var labels: [String]
    /// How the weights are stored: `f32`, `f16` or `bf16`.
    public var precision = "f16"
    public var calibration: Calibration?
    /// The version of the student that this one was warm-started from.
    public var parent: String?
    /// SHA-256 of the training lines.
    public var dataFingerprint: String?
    public var seed: UInt64?

    public init(
        version: String, vocabularySize: Int, embeddingSize: Int, hiddenSize: Int, denseSize: Int, pooling: [Pooling],
        maximumTokens: Int = 128, labels: [String]
    ) {
        self.version = version
        self.vocabularySize = vocabularySize
        self.embeddingSize = embeddingSize
        self.hiddenSize = hiddenSize
        self.denseSize = denseSize
        self.pooling = pooling
        self.maximumTokens = maximumTokens
        self.labels = labels
    }

    /// Width of the pooled vector: both directions of every pooling.
    public var pooledSize: Int { 2 * hiddenSize * pooling.count }

    /// The first thing that is wrong with these values, if any.
    public func check() throws(UnderstudyError) {
        func size(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(UnderstudyError) {
            guard range.contains(value) else {
                throw UnderstudyError(.invalidData, "\"\(name)\" is \(value); it must lie in \(range)")
            }
        }
        try size("vocab_size", vocabularySize, 1...4_000_000)
        try size("embedding_size", embeddingSize, 1...4096)
        try size("hidden_size", hiddenSize, 1...4096)
        try size("dense_size", denseSize, 1...65536)
        try size("shortcut_buckets", shortcutBuckets, 0...(1 << 26))
        try size("maximum_tokens", maximumTokens, 1...1_000_000)
        try size("labels", labels.count, 1...100_000)
        guard shortcutBuckets & (shortcutBuckets - 1) == 0, shortcutBuckets != 1 else {
            throw UnderstudyError(
                .invalidData, "\"shortcut_buckets\" is \(shortcutBuckets), which isn't a power of two")
        }
        guard earlyExit == nil || shortcutBuckets > 0 else {
            throw UnderstudyError(
                .invalidData, "\"early_exit\" needs n-grams, but \"shortcut_buckets\" is 0")
        }
        guard !pooling.isEmpty, Set(pooling).count == pooling.count else {
            throw UnderstudyError(.invalidData, "\"pooling\" must name each of its poolings once, and at least one")
        }
        guard Set(labels).count == labels.count else {
            throw UnderstudyError(.invalidData, "\"labels\" names a label twice")
        }
    }
}
