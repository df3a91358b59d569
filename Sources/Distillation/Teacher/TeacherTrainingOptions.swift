import Diagnostics
import Models
import Text

/// The settings of a teacher's fine-tuning.
public struct TeacherTrainingOptions: Sendable, Equatable {
    /// Number of trained encoder blocks, counted from the last; earlier blocks are frozen, and their output is computed
    /// once.
    public var layers: Int = 4
    /// The arithmetic of the frozen blocks.
    public var frozenPrecision = TeacherPrecision.f32
    /// Whether the embeddings are trained too; only together with all blocks.
    public var trainsEmbeddings: Bool = false
    /// Passes over the training lines.
    public var epochs: Int = 2
    /// Lines per step.
    public var batchLines: Int = 32
    /// The highest learning rate of the encoder blocks.
    public var learningRate: Float = 1e-4
    /// The highest learning rate of pooler and classifier, which are initialised randomly.
    public var headLearningRate: Float = 1e-3
    /// The share of all steps during which the rate rises from zero; afterwards it decreases linearly to zero.
    public var warmUpShare: Float = 0.1
    /// AdamW's decoupled decay, for matrices only.
    public var weightDecay: Float = 0.01
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    /// The gradient's global norm is clipped to this; infinity disables clipping.
    public var maximumGradientNorm: Float = 1
    /// The share of the target that is spread evenly over all labels.
    public var labelSmoothing: Float = 0
    /// Dropout of hidden states and of attention probabilities; nil uses the configuration's.
    public var dropout: Float?
    public var seed: UInt64 = 0
    /// Threads that share each batch. The same seed gives the same weights with one thread and two; with more, the
    /// number must be the same.
    public var threads: Int = 2

    public init() {}

    func validate(_ configuration: TeacherConfiguration) throws(UnderstudyError) {
        func refuse(_ message: String) -> UnderstudyError { UnderstudyError(.usage, message) }
        guard (0...configuration.layers).contains(layers) else {
            throw refuse("can't train \(layers) layers: the base has \(configuration.layers)")
        }
        guard !trainsEmbeddings || layers == configuration.layers else {
            throw refuse("the embeddings can be trained only if all \(configuration.layers) layers are")
        }
        guard epochs >= 1 else { throw refuse("the number of epochs must be at least 1, not \(epochs)") }
        guard batchLines >= 1 else { throw refuse("a batch must have at least 1 line, not \(batchLines)") }
        guard threads >= 1 else { throw refuse("the number of threads must be at least 1, not \(threads)") }
        for (name, value) in [("learning rate", learningRate), ("head's learning rate", headLearningRate)] {
            guard value > 0, value.isFinite else { throw refuse("the \(name) must be above 0, not \(value)") }
        }
        for (name, value) in [
            ("warm-up share", warmUpShare), ("label smoothing", labelSmoothing), ("dropout", dropout ?? 0),
        ] {
            guard value >= 0, value < 1 else { throw refuse("the \(name) must be from 0 to below 1, not \(value)") }
        }
        guard maximumGradientNorm > 0 else {
            throw refuse("the maximum gradient norm must be above 0, not \(maximumGradientNorm)")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw refuse("the weight decay must not be negative, but is \(weightDecay)")
        }
    }
}

/// Linear warm-up, then linear decay to zero.
public struct TeacherSchedule: Sendable {
    public let steps: Int
    public let warmUpSteps: Int

    public init(steps: Int, warmUpShare: Float) {
        self.init(steps: steps, warmUpSteps: Int((Float(steps) * warmUpShare).rounded()))
    }

    public init(steps: Int, warmUpSteps: Int) {
        self.steps = steps
        self.warmUpSteps = min(warmUpSteps, steps)
    }

    /// The learning rate's share of its maximum at `step` (from 0).
    public func factor(_ step: Int) -> Float {
        if step < warmUpSteps { return Float(step + 1) / Float(warmUpSteps) }
        return Float(max(steps - step, 0)) / Float(max(steps - warmUpSteps, 1))
    }
}

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

/// The progress of a fine-tuning. It has no times: the caller measures them.
public struct TeacherTrainingProgress: Sendable, Equatable {
    public enum Stage: Sendable, Equatable {
        /// The frozen blocks' output is being computed.
        case frozenLayers
        case training
        /// An epoch has ended and been measured on the validation lines.
        case validated(accuracy: Double, loss: Double, isBest: Bool)
    }

    public var stage: Stage
    /// From 1; 0 before training.
    public var epoch: Int
    public var epochs: Int
    /// Finished lines of this stage (the frozen layers, or all epochs together), and all of them.
    public var linesDone: Int
    public var linesTotal: Int
    /// Mean loss of the epoch's lines so far.
    public var loss: Double
    /// Share of the epoch's lines so far that were classified correctly, with dropout.
    public var accuracy: Double
}

/// The result of a fine-tuning; the weights are in the trainer.
public struct TeacherTrainingResult: Sendable, Equatable, Codable {
    /// One epoch's measures.
    public struct Epoch: Sendable, Equatable, Codable {
        /// Mean over the epoch's training lines, with dropout.
        public var trainingLoss: Double
        public var trainingAccuracy: Double
        public var validationLoss: Double?
        public var validationAccuracy: Double?
    }

    public var epochs: [Epoch]
    /// The epoch whose weights were kept, from 1.
    public var bestEpoch: Int
    /// True if the caller stopped it.
    public var wasCancelled: Bool
}
