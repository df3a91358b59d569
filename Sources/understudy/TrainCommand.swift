import ArgumentParser
import Diagnostics
import Distillation
import Models
import Tensors

/// `train`: makes models from labelled lines.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Makes a model from labelled lines.", subcommands: [TrainTeacherCommand.self])
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
            the exit status is 75. A second Ctrl-C ends at once. Lines without a label are passed over.
            """)

    @Option(help: ArgumentHelp("The base's directory.", valueName: "directory"))
    var base: String

    @Option(help: ArgumentHelp("Labelled lines: JSON Lines of {\"text\":…,\"label\":…}.", valueName: "F.jsonl"))
    var train: String

    @Option(help: ArgumentHelp("Labelled lines to choose by; without it, a tenth of --train.", valueName: "F.jsonl"))
    var validation: String?

    @Option(help: ArgumentHelp("The teacher's directory; replaced if it holds a model.", valueName: "directory"))
    var out: String

    @Option(help: "What stores a weight: f32, f16, or i8 (for this program alone, a byte a weight).")
    var precision = "f32"

    @OptionGroup(title: "Training") var training: TrainTeacherOptions
    @OptionGroup(title: "The model card") var cardOptions: CardOptions

    /// The share of --train that is held out where no --validation is given.
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

    /// Both sets with the labels in one order: the base's own where it has the same ones, else sorted.
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
