import Glibc
import Models

/// All settings of a student's training, apart from data and teachers.
public struct StudentRecipe: Sendable {
    /// The initial values of the token embeddings.
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
    /// Whether sure lines are answered by their n-grams alone; requires a shortcut.
    public var earlyExit = true
    public var maximumTokens = 128
    public var precision = "f16"
    public var embeddings = Embeddings.context
    /// Standard deviation of the embedding's initial values.
    public var embeddingDeviation: Float = 0.3
    public var lstm = LSTMInitialization.glorot
    /// Number of encoder blocks whose states give the embeddings; nil for two thirds of them.
    public var contextLayer: Int?
    public var training = StudentTrainingOptions()
    public var augmentation = TransferAugmentation()
    /// Number of lines to make by augmentation.
    public var augmentedLines = 0
    /// Share of the training texts used for validation if no file is given.
    public var validationShare = 0.1

    public init() {
        training.epochs = 6
        training.loss.labelShare = 0.3
    }

    /// Adopts the shape of the student that training starts from.
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

/// The settings of a student's training, apart from its architecture (`StudentConfiguration`) and data.
public struct StudentTrainingOptions: Sendable, Equatable {
    public enum Order: String, Sendable, CaseIterable {
        /// A new random order every epoch.
        case shuffled
        /// In the order of the files.
        case file
    }

    public var loss = DistillationLoss()
    public var optimizer = OptimizerOptions()
    public var dropout = StudentPass.Dropout()
    /// Share of tokens replaced by the unknown token, drawn anew every epoch (Tang et al. 2019, §3.2, masking).
    public var tokenDropout: Float = 0
    /// The id that replaces dropped tokens.
    public var unknownToken: Int32 = 0
    public var epochs = 10
    /// Batch size in lines.
    public var batch = 64
    public var order = Order.shuffled
    public var seed: UInt64 = 0
    /// Parts of a batch that are processed in parallel. It affects the result only by rounding.
    public var threads = 2

    public init() {}
}

/// The settings of the optimiser.
public struct OptimizerOptions: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Adam (Kingma & Ba 2015); with a weight decay, AdamW (Loshchilov & Hutter 2019).
        case adam
        /// Plain stochastic gradient descent.
        case sgd
    }

    public enum Schedule: String, Sendable, CaseIterable {
        case constant
        /// Decreases linearly to zero at the last step.
        case linear
        /// Half a cosine from the full rate to zero (Loshchilov & Hutter 2017).
        case cosine
    }

    public var kind = Kind.adam
    public var learningRate: Float = 1e-3
    /// The ratio of the shortcut's rate to the others': its rows are used rarely and start at zero.
    public var shortcutRateFactor: Float = 3
    public var schedule = Schedule.linear
    /// Share of all steps during which the rate rises linearly from zero.
    public var warmup: Float = 0
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    /// For the dense tensors' matrices; never for biases or the two tables.
    public var weightDecay: Float = 0
    /// Gradients are scaled down to this global norm; 0 for no limit.
    public var clip: Float = 0

    public init() {}

    /// The rate at `step` (from 0) of `steps`.
    public func rate(step: Int, of steps: Int) -> Float {
        let warm = Int((warmup * Float(steps)).rounded())
        if step < warm { return learningRate * Float(step + 1) / Float(warm + 1) }
        let progress = Float(step - warm) / Float(max(steps - warm, 1))
        switch schedule {
        case .constant: return learningRate
        case .linear: return learningRate * (1 - progress)
        case .cosine: return learningRate * 0.5 * (1 + cos(progress * .pi))
        }
    }
}
