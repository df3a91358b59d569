import ArgumentParser
import Diagnostics
import Distillation
import Models

/// `train teacher`'s options for the training.
struct TrainTeacherOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Trainable encoder layers, counted from the last, or all.", valueName: "N|all"))
    var layers = "4"

    @Flag(help: "Train the embeddings too; needs --layers all.")
    var trainEmbeddings = false

    @Option(help: "Passes over the lines.")
    var epochs = 2

    @Option(help: "Batch size in lines.")
    var batch = 32

    @Option(help: "Peak learning rate of the encoder layers.")
    var learningRate: Float = 1e-4

    @Option(help: "Peak learning rate of the pooler and the classifier.")
    var headLearningRate: Float = 1e-3

    @Option(help: "Share of the steps over which the rate warms up; then it falls linearly to zero.")
    var warmup: Float = 0.1

    @Option(help: "Weight decay of matrices (AdamW).")
    var weightDecay: Float = 0.01

    @Option(help: "Limit of the gradient's global norm; 0 for none.")
    var clip: Float = 1

    @Option(help: "Share of the label's probability spread over all labels.")
    var labelSmoothing: Float = 0

    @Option(help: "Dropout of hidden states and attention; without it, that of the base's config.json.")
    var dropout: Float?

    @Option(help: "Input of the classifier: cls (the pooler on the first token) or mean; default: as in the base.")
    var pooling: String?

    @Option(help: "Seed of all random choices; the same seed gives the same model.")
    var seed: UInt64 = 0

    @Option(help: "Number of threads; one and two give the same model.")
    var threads = 2

    /// - Parameter base: the directory whose config.json gives the number of layers that `all` stands for.
    func options(layersOf base: String) throws(UnderstudyError) -> TeacherTrainingOptions {
        var options = TeacherTrainingOptions()
        // The precision in which the teacher serves.
        options.frozenPrecision = .serving
        if layers == "all" {
            options.layers = try TeacherConfiguration(path: "\(base)/\(ModelDirectory.configuration)").layers
        } else if let count = Int(layers) {
            options.layers = count
        } else {
            throw UnderstudyError(.usage, "--layers takes a number or all, not \(layers)")
        }
        options.trainsEmbeddings = trainEmbeddings
        options.epochs = epochs
        options.batchLines = batch
        options.learningRate = learningRate
        options.headLearningRate = headLearningRate
        options.warmUpShare = warmup
        options.weightDecay = weightDecay
        options.maximumGradientNorm = clip == 0 ? .infinity : clip
        options.labelSmoothing = labelSmoothing
        options.dropout = dropout
        options.seed = seed
        options.threads = threads
        return options
    }

    func poolingChoice() throws(UnderstudyError) -> TeacherConfiguration.Pooling? {
        guard let pooling else { return nil }
        guard let choice = TeacherConfiguration.Pooling(rawValue: pooling) else {
            throw UnderstudyError(.usage, "--pooling takes cls or mean, not \(pooling)")
        }
        return choice
    }
}
