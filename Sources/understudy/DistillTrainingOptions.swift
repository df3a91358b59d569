import ArgumentParser
import Diagnostics
import Distillation
import Models
import Streams

/// `distill`'s options for the loss and the training.
struct DistillTrainingOptions: ParsableArguments {
    @Option(help: "Distance to the teacher's logits: mse, or kl (T² · Kullback–Leibler at temperature T).")
    var loss = "mse"

    @Option(help: ArgumentHelp("The labels' share of the loss, 0 to 1.", valueName: "L"))
    var lambda: Float = 0.3

    @Option(help: ArgumentHelp("The temperature of --loss kl.", valueName: "T"))
    var temperature: Float = 1

    @Option(help: "Share of the label's probability spread over all labels.")
    var labelSmoothing: Float = 0

    @Option(help: "Passes over the lines.")
    var epochs = 6

    @Option(help: "Batch size in lines.")
    var batch = 64

    @Option(help: "adam or sgd.")
    var optimizer = "adam"

    @Option(help: "Peak learning rate.")
    var learningRate: Float = 1e-3

    @Option(help: "Learning-rate schedule: linear, cosine or constant.")
    var schedule = "linear"

    @Option(help: "Share of the steps over which the rate warms up.")
    var warmup: Float = 0.02

    @Option(help: "Factor on the learning rate for the shortcut.")
    var shortcutRate: Float = 3

    @Option(help: "Weight decay of the dense layers (AdamW).")
    var weightDecay: Float = 0

    @Option(help: "Limit of the gradient's global norm; 0 for none.")
    var clip: Float = 5

    @Option(help: "Dropout of embedding dimensions, the same for all tokens of a line.")
    var embeddingDropout: Float = 0.2

    @Option(help: "Dropout of pooled values and of the dense layer.")
    var dropout: Float = 0.3

    @Option(help: "Dropout of the shortcut's n-grams.")
    var shortcutDropout: Float = 0

    @Option(help: "Share of tokens replaced by the unknown token, anew in every epoch.")
    var tokenDropout: Float = 0

    @Option(help: "Order of the lines: shuffled, or file.")
    var order = "shuffled"

    @Option(help: ArgumentHelp("Number of augmented lines to generate.", valueName: "N"))
    var augment = 20_000

    @Option(help: "Share of augmented lines that are one stretch of a line (n-gram sampling).")
    var sampleShare: Float = 1

    @Option(help: "Share of an augmented line's words that are masked.")
    var maskShare: Float = 0

    @Option(help: "Share of augmented lines that join the halves of two.")
    var spliceShare: Float = 0

    @Option(help: ArgumentHelp("Seed of all random choices.", valueName: "N"))
    var seed: UInt64 = 0

    @Option(help: "Threads.")
    var threads = Processors.available

    func validate() throws {
        for (name, value) in [
            ("lambda", lambda), ("label-smoothing", labelSmoothing), ("warmup", warmup),
            ("embedding-dropout", embeddingDropout), ("dropout", dropout), ("shortcut-dropout", shortcutDropout),
            ("token-dropout", tokenDropout), ("sample-share", sampleShare),
            ("mask-share", maskShare), ("splice-share", spliceShare),
        ] where !(value >= 0 && value <= 1) || name.hasSuffix("dropout") && value > 0.95 {
            throw ValidationError(
                "--\(name) takes a share\(name.hasSuffix("dropout") ? " up to 0.95" : " from 0 to 1")")
        }
        guard (1...10_000).contains(epochs) else { throw ValidationError("--epochs takes a number from 1 to 10000") }
        guard (1...100_000).contains(batch) else { throw ValidationError("--batch takes a number from 1 to 100000") }
        guard (1...1024).contains(threads) else { throw ValidationError("--threads takes a number from 1 to 1024") }
        guard augment >= 0, augment <= 100_000_000 else { throw ValidationError("--augment takes a number of lines") }
        guard seed <= UInt64(Int64.max) else { throw ValidationError("--seed takes a number up to \(Int64.max)") }
        for (name, value) in [("temperature", temperature), ("learning-rate", learningRate)]
        where !(value > 0 && value.isFinite) {
            throw ValidationError("--\(name) takes a number above 0")
        }
        for (name, value) in [("weight-decay", weightDecay), ("clip", clip), ("shortcut-rate", shortcutRate)]
        where !(value >= 0 && value.isFinite) {
            throw ValidationError("--\(name) takes a number of at least 0")
        }
    }

    func apply(to recipe: inout StudentRecipe, isAlone: Bool) throws(UnderstudyError) {
        var options = recipe.training
        options.loss = DistillationLoss(
            kind: try Self.choice("loss", loss), labelShare: isAlone ? 1 : lambda, temperature: temperature,
            labelSmoothing: labelSmoothing)
        options.epochs = epochs
        options.batch = batch
        options.optimizer.kind = try Self.choice("optimizer", optimizer)
        options.optimizer.schedule = try Self.choice("schedule", schedule)
        options.optimizer.learningRate = learningRate
        options.optimizer.warmup = warmup
        options.optimizer.shortcutRateFactor = shortcutRate
        options.optimizer.weightDecay = weightDecay
        options.optimizer.clip = clip
        options.dropout = .init(
            embedding: embeddingDropout, pooled: dropout, dense: dropout, shortcut: shortcutDropout)
        options.tokenDropout = tokenDropout
        options.order = try Self.choice("order", order)
        options.seed = seed
        options.threads = threads
        recipe.training = options
        recipe.augmentedLines = augment
        recipe.augmentation.sampleShare = sampleShare
        recipe.augmentation.maskShare = maskShare
        recipe.augmentation.spliceShare = spliceShare
    }

    /// Returns the case named by `text`. Throws a usage error that lists the valid names.
    static func choice<Choice: RawRepresentable & CaseIterable>(
        _ option: String, _ text: String
    ) throws(UnderstudyError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnderstudyError(.usage, "--\(option) takes one of \(names), not \"\(text)\"")
        }
        return choice
    }
}
