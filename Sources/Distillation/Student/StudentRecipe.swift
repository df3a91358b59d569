import Models

/// All that decides how a student is made, apart from data and teachers.
public struct StudentRecipe: Sendable {
    /// Where the token embeddings start from.
    public enum Embeddings: Sendable, Equatable {
        case random
        /// Mean hidden states of the teacher (`ContextualEmbeddings`).
        case context
        /// The teacher's input embedding matrix, reduced by PCA.
        case matrix
        /// A file of word vectors in word2vec's text format.
        case vectors(String)
    }

    public var version = "student"
    public var input = StudentConfiguration.Input.tokens
    public var embeddingSize = 128
    public var hiddenSize = 128
    public var denseSize = 128
    public var pooling: [StudentConfiguration.Pooling] = [.max, .mean]
    /// 2^bits rows; 0 for no shortcut.
    public var shortcutBits = 18
    /// Whether sure lines are answered by their n-grams alone; needs a shortcut's n-grams.
    public var earlyExit = true
    public var maximumTokens = 128
    public var precision = "f16"
    public var embeddings = Embeddings.context
    /// Standard deviation of the embedding's values at the start.
    public var embeddingDeviation: Float = 0.3
    public var lstm = LSTMInitialization.glorot
    /// Encoder blocks whose states make the embeddings; nil for two thirds of them.
    public var contextLayer: Int?
    public var training = StudentTrainingOptions()
    public var augmentation = TransferAugmentation()
    /// Lines to make by augmentation.
    public var augmentedLines = 0
    /// Share of the training texts kept for validation when no file is given.
    public var validationShare = 0.1

    public init() {
        training.epochs = 6
        training.loss.labelShare = 0.3
    }

    /// Takes on the shape of a student that training is to begin with.
    public mutating func takeShape(of configuration: StudentConfiguration) {
        input = configuration.input
        embeddingSize = configuration.embeddingSize
        hiddenSize = configuration.hiddenSize
        denseSize = configuration.denseSize
        pooling = configuration.pooling
        shortcutBits = configuration.shortcutBuckets > 0 ? configuration.shortcutBuckets.trailingZeroBitCount : 0
        earlyExit = configuration.earlyExit != nil
        maximumTokens = configuration.maximumTokens
        precision = configuration.precision
    }

    /// The configuration of a student with this recipe.
    public func configuration(vocabularySize: Int, labels: [String]) -> StudentConfiguration {
        var result = StudentConfiguration(
            version: version, vocabularySize: vocabularySize, embeddingSize: embeddingSize, hiddenSize: hiddenSize,
            denseSize: denseSize, pooling: pooling, maximumTokens: maximumTokens, labels: labels)
        result.input = input
        result.shortcutBuckets = shortcutBits > 0 ? 1 << shortcutBits : 0
        result.precision = precision
        result.seed = training.seed
        return result
    }
}
