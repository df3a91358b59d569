import Diagnostics
import Models

/// How a teacher is fine-tuned.
public struct TeacherTrainingOptions: Sendable, Equatable {
    /// Encoder blocks that learn, counted from the last; those before stay as they are, and their output is computed
    /// once.
    public var layers: Int = 4
    /// The arithmetic of the blocks that don't learn.
    public var frozenPrecision = TeacherPrecision.f32
    /// Whether the embeddings learn too; only together with all blocks.
    public var trainsEmbeddings: Bool = false
    /// Passes over the training lines.
    public var epochs: Int = 2
    /// Lines per step.
    public var batchLines: Int = 32
    /// The highest learning rate of the encoder blocks.
    public var learningRate: Float = 1e-4
    /// The highest learning rate of pooler and classifier, which start at random.
    public var headLearningRate: Float = 1e-3
    /// The share of all steps over which the rate climbs from zero; from there it falls to zero in a line.
    public var warmUpShare: Float = 0.1
    /// AdamW's decoupled decay, on matrices only.
    public var weightDecay: Float = 0.01
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    /// The gradient's global norm is cut to this; infinity leaves it.
    public var maximumGradientNorm: Float = 1
    /// The share of the target that is spread evenly over all labels.
    public var labelSmoothing: Float = 0
    /// Dropout of hidden states and of attention probabilities; nil takes the configuration's.
    public var dropout: Float?
    public var seed: UInt64 = 0
    /// Threads that share each batch. The same seed gives the same weights with one thread and two; with more, the
    /// same number is needed.
    public var threads: Int = 2

    public init() {}

    func validate(_ configuration: TeacherConfiguration) throws(UnderstudyError) {
        func refuse(_ message: String) -> UnderstudyError { UnderstudyError(.usage, message) }
        guard (0...configuration.layers).contains(layers) else {
            throw refuse("can't train \(layers) layers: the base has \(configuration.layers)")
        }
        guard !trainsEmbeddings || layers == configuration.layers else {
            throw refuse("the embeddings can learn only where all \(configuration.layers) layers do")
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
