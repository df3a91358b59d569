import ArgumentParser
import Diagnostics
import Distillation
import Models
import Tensors

/// `train`: trains models on labelled lines.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains a model on labelled lines.", subcommands: [TrainTeacherCommand.self])
}

/// `train teacher`: fine-tunes a BERT base.
struct TrainTeacherCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "teacher",
        abstract: "Fine-tunes the last layers of a BERT base on labelled lines.",
        discussion: """
            The base is a Hugging Face BERT directory (config.json, model.safetensors, tokenizer files), with or without \
            a pooler and a classifier. The result is a directory that Transformers loads with \
            BertForSequenceClassification.from_pretrained, unless --precision is i8. Of the epochs the one with the best \
            validation accuracy is kept, after Ctrl-C the best so far; before the first was measured nothing is written, and \
            the exit status is 75. A second Ctrl-C ends at once. Lines without a label are skipped.
            """)

    @Option(help: ArgumentHelp("The base's directory.", valueName: "directory"))
    var base: String

    @Option(help: ArgumentHelp("Labelled lines: JSON Lines of {\"text\":…,\"label\":…}.", valueName: "F.jsonl"))
    var train: String

    @Option(
        help: ArgumentHelp(
            "Validation lines for choosing the epoch; without it, a tenth of --train.", valueName: "F.jsonl"))
    var validation: String?

    @Option(help: ArgumentHelp("The teacher's directory; replaced if it holds a model.", valueName: "directory"))
    var out: String

    @Option(help: "Storage format of the weights: f32, f16, or i8 (for this program alone, a byte a weight).")
    var precision = "f32"

    @OptionGroup(title: "Training") var training: TrainTeacherOptions
    @OptionGroup(title: "The model card") var cardOptions: CardOptions

    /// The share of --train that is held out without --validation.
    private static let validationShare = 0.1

    func validate() throws {
        guard storedType != nil else { throw ValidationError("--precision takes f32, f16 or i8, not \(precision)") }
    }

    private var storedType: StoredType? {
        switch precision {
        case "f32": .f32
        case "f16": .f16
        case "i8": .i8
        default: nil
        }
    }

    func run() throws {
        try reporting(Interruption.begin)
        try reporting(fineTune)
    }

    private func fineTune() throws(UnderstudyError) {
        try ModelDirectory.checkTarget(out, replacing: true)
        let options = try training.options(layersOf: base)
        let tuner = try TeacherFineTuner(base: base, options: options, pooling: training.poolingChoice())
        let sets = try sets(baseLabels: tuner.baseLabels)
        let progress = TrainTeacherProgress(.standardError())
        let outcome = try tuner.run(
            train: sets.train, validation: sets.validation, isCancelled: { Interruption.wasAsked },
            progress: { progress.show($0) })
        progress.end()
        var card = TrainTeacherCard.make(
            outcome, name: Self.name(out), base: Self.name(base), train: Self.name(train),
            validation: validation.map(Self.name), options: options, precision: precision)
        cardOptions.apply(to: &card)
        try ModelDirectory.publish(to: out, replacing: true) { [card] (directory) throws(UnderstudyError) in
            try TeacherFiles.write(
                outcome.configuration, outcome.weights, as: storedType ?? .f32, tokenizer: tuner.tokenizer,
                to: directory)
            try ModelDirectory.write(outcome.metrics.json, to: ModelDirectory.metrics, in: directory)
            try ModelDirectory.write(card.markdown, to: ModelDirectory.card, in: directory)
        }
        let training = outcome.metrics.training
        if training.wasCancelled { Interruption.report(kept: training.bestEpoch, of: training.epochs.count) }
        let accuracy = outcome.metrics.best.validationAccuracy.map { NumberText.percent($0) } ?? "unknown"
        print("\(out): validation accuracy \(accuracy), epoch \(outcome.metrics.training.bestEpoch)")
    }

    /// Returns both sets with the same label order: the base model's if it has the same labels, else sorted.
    private func sets(baseLabels: [String]) throws(UnderstudyError) -> (train: DataSet, validation: DataSet) {
        var all = try DataSet.read(path: train)
        if all.labels != baseLabels, Set(all.labels) == Set(baseLabels) {
            all = try DataSet.read(path: train, labels: baseLabels)
        }
        guard all.labels.count > 1 else {
            throw UnderstudyError(.invalidData, "the lines have fewer than two labels", at: train)
        }
        guard let validation else {
            return all.split(validationShare: Self.validationShare, stratified: true)
        }
        return (all, try DataSet.read(path: validation, labels: all.labels))
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// The model card of a fine-tuned teacher.
enum TrainTeacherCard {
    static func make(
        _ outcome: TeacherFineTuner.Outcome, name: String, base: String, train: String, validation: String?,
        options: TeacherTrainingOptions, precision: String
    ) -> ModelCard {
        let configuration = outcome.configuration
        var card = ModelCard(
            title: name, summary: "A BERT text classifier, fine-tuned from \(base) by `understudy train teacher`.",
            license: nil)
        card.licenseNote = "The licence of the base, \(base), applies to what was made from it."
        card.baseModel = base
        card.labels = configuration.labels
        card.tags = ["text-classification", "bert"]
        card.data = [
            .init(train, "\(NumberText.grouped(outcome.metrics.trainLines)) labelled lines to learn from"),
            .init(
                validation ?? "\(train), held out",
                "\(NumberText.grouped(outcome.metrics.validationLines)) labelled lines to choose the epoch by"),
        ]
        card.recipe = [
            .init("layers that learn", "\(options.layers) of \(configuration.layers)"),
            .init("embeddings", options.trainsEmbeddings ? "learn" : "frozen"),
            .init("pooling", configuration.pooling.rawValue),
            .init("epochs", "\(options.epochs), best \(outcome.metrics.training.bestEpoch)"),
            .init("batch", "\(options.batchLines) lines"),
            .init("optimiser", "AdamW, rate \(options.learningRate), head \(options.headLearningRate)"),
            .init("schedule", "linear, warm-up \(options.warmUpShare) of the steps"),
            .init("weight decay", "\(options.weightDecay), matrices only"),
            .init("gradient norm", "at most \(options.maximumGradientNorm)"),
            .init("dropout", "\(options.dropout ?? configuration.hiddenDropout)"),
            .init("label smoothing", "\(options.labelSmoothing)"),
            .init("stored as", precision),
        ]
        card.seed = options.seed
        card.results = [outcome.metrics.table]
        return card
    }
}

/// Shows the progress of a fine-tuning: one stage for the frozen layers and one for each epoch.
final class TrainTeacherProgress {
    private let meter: ProgressMeter
    private var stage = ""
    private var done = 0

    init(_ meter: ProgressMeter) {
        self.meter = meter
    }

    func show(_ progress: TeacherTrainingProgress) {
        switch progress.stage {
        case .frozenLayers:
            begin("frozen layers", total: progress.linesTotal)
            meter.advance(by: progress.linesDone - done)
            done = progress.linesDone
        case .training:
            let perEpoch = progress.linesTotal / progress.epochs
            begin("epoch \(progress.epoch)/\(progress.epochs)", total: perEpoch)
            let here = progress.linesDone - perEpoch * (progress.epoch - 1)
            meter.advance(by: here - done, loss: progress.loss, accuracy: progress.accuracy)
            done = here
        case .validated(let accuracy, let loss, let isBest):
            end()
            meter.note(
                "validation: loss \(NumberText.fixed(loss, digits: 4)), accuracy \(NumberText.percent(accuracy))"
                    + (isBest ? ", the best so far" : ""))
        }
    }

    func end() {
        meter.end()
        stage = ""
    }

    private func begin(_ name: String, total: Int) {
        guard stage != name else { return }
        meter.begin(name, total: total)
        stage = name
        done = 0
    }
}
