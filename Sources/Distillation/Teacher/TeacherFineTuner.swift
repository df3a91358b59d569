import Bytes
import Diagnostics
import Models
import Tensors
import Text

/// Fine-tunes a teacher from a base's directory and labelled lines: reads the base, tokenises, trains, fits the
/// temperature.
public struct TeacherFineTuner {
    /// The result of a fine-tuning.
    public struct Outcome {
        public let configuration: TeacherConfiguration
        public let weights: TeacherWeights
        public let metrics: TeacherMetrics
    }

    public let base: String
    public let tokenizer: LoadedTokenizer
    public let options: TeacherTrainingOptions
    /// The base's own labels; empty if it had no classifier.
    public let baseLabels: [String]
    private let baseConfiguration: TeacherConfiguration

    /// - Parameter pooling: nil uses the base's configuration.
    public init(
        base: String, options: TeacherTrainingOptions, pooling: TeacherConfiguration.Pooling? = nil
    ) throws(UnderstudyError) {
        try ModelDirectory.check(base)
        var configuration = try TeacherConfiguration(path: "\(base)/\(ModelDirectory.configuration)")
        if let pooling { configuration.pooling = pooling }
        try options.validate(configuration)
        baseConfiguration = configuration
        baseLabels = configuration.labels
        tokenizer = try TokenizerFiles.load(directory: base)
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw UnderstudyError(
                .invalidData,
                "the tokenizer has \(tokenizer.vocabularySize) entries, but the model only "
                    + "\(configuration.vocabularySize) embeddings; they don't belong together", at: base)
        }
        self.base = base
        self.options = options
    }

    /// Trains on the labelled lines (others are ignored); both sets must have the same labels.
    ///
    /// `isCancelled` is called between steps; when it returns true, the best measured epoch is kept.
    ///
    /// Errors: `tryAgain` when stopped before an epoch was measured.
    public func run(
        train: DataSet, validation: DataSet, isCancelled: () -> Bool = { false },
        progress: (TeacherTrainingProgress) -> Void = { _ in }
    ) throws(UnderstudyError) -> Outcome {
        guard train.labels == validation.labels else {
            throw UnderstudyError(.invalidData, "the training and validation lines have different labels")
        }
        var configuration = baseConfiguration
        configuration.labels = train.labels
        configuration.temperature = 1
        let file = try TeacherWeightsFile(
            path: "\(base)/\(ModelDirectory.weights)", configuration: configuration, part: .base)
        // A classifier with other labels, or the same in another order, can't be used.
        var missing = file.missing
        if baseLabels != train.labels {
            missing.formUnion(file.weights.tensors.filter { $0.form.matrix.part == .classifier }.map(\.name))
        }
        let trainer = try TeacherTrainer(
            configuration: configuration, weights: file.weights, missing: missing, options: options)
        let training = tokenised(train.labelled(), configuration)
        let held = tokenised(validation.labelled(), configuration)
        let result = try trainer.train(training, validation: held, isCancelled: isCancelled, progress: progress).get()
        let calibration = calibrate(held, configuration, trainer.weights)
        configuration.temperature = calibration.temperature
        return Outcome(
            configuration: configuration, weights: trainer.weights,
            metrics: TeacherMetrics(
                training: result, trainLines: training.count, validationLines: held.count, calibration: calibration))
    }

    private func tokenised(_ lines: DataSet, _ configuration: TeacherConfiguration) -> TeacherTrainingSet {
        let limit = min(configuration.maximumLength, tokenizer.maximumLength)
        let scratch = TokenizerScratch()
        var set = TeacherTrainingSet()
        lines.lines.forEachLine { index, bytes in
            set.tokens.append(bytes, maximumLength: limit, with: tokenizer.tokenizer, scratch: scratch)
            set.labels.append(Int(lines.labelIndices[index]))
        }
        return set
    }

    private func calibrate(
        _ held: TeacherTrainingSet, _ configuration: TeacherConfiguration, _ weights: TeacherWeights
    ) -> TeacherMetrics.Calibration {
        let labels = held.labels.map { Int32($0) }
        let validator = TeacherValidator(configuration, weights: weights, threads: options.threads)
        let logits = validator.logits(held, states: nil)
        let temperature = TemperatureScaling.fit(
            logits: logits, labelCount: configuration.labels.count, labels: labels
        ).temperature
        func error(_ temperature: Float) -> Double {
            let predictions = Predictions(
                logits: logits, labelCount: configuration.labels.count, temperature: temperature)
            let correct = zip(predictions.indices, labels).map { $0 == $1 }
            return ExpectedCalibrationError(confidences: predictions.confidences, correct: correct).value
        }
        return TeacherMetrics.Calibration(
            temperature: temperature, errorBefore: error(1), errorAfter: error(temperature))
    }
}

/// The measurements of a teacher's fine-tuning; written to `metrics.json` and a table of its card.
public struct TeacherMetrics: Sendable {
    /// The temperature fitted on the validation lines, and its effect there.
    public struct Calibration: Sendable {
        public let temperature: Float
        /// Expected calibration error at temperature 1, and at the fitted one.
        public let errorBefore: Double
        public let errorAfter: Double
    }

    public let training: TeacherTrainingResult
    public let trainLines: Int
    public let validationLines: Int
    public let calibration: Calibration

    /// The kept epoch's measures.
    public var best: TeacherTrainingResult.Epoch { training.epochs[training.bestEpoch - 1] }

    /// The text of `metrics.json`; shares are between 0 and 1.
    public var json: String {
        let epochs = training.epochs.map { epoch in
            JSONTree.members(
                [
                    ("training_loss", .double(epoch.trainingLoss)),
                    ("training_accuracy", .double(epoch.trainingAccuracy)),
                ] + (epoch.validationLoss.map { [("validation_loss", .double($0))] } ?? [])
                    + (epoch.validationAccuracy.map { [("validation_accuracy", .double($0))] } ?? []))
        }
        return JSONTree.members([
            "train_lines": .integer(trainLines), "validation_lines": .integer(validationLines),
            "best_epoch": .integer(training.bestEpoch), "interrupted": .bool(training.wasCancelled),
            "epochs": .array(epochs), "validation_accuracy": best.validationAccuracy.map { .double($0) } ?? .null,
            "temperature": .double(calibration.temperature),
            "ece_before_temperature": .double(calibration.errorBefore),
            "ece_after_temperature": .double(calibration.errorAfter),
        ]).written() + "\n"
    }

    /// The same as a table for a model card.
    public var table: ModelCard.Table {
        var rows: [[String]] = []
        if let accuracy = best.validationAccuracy { rows.append(["accuracy", NumberText.percent(accuracy)]) }
        if let loss = best.validationLoss { rows.append(["cross-entropy", NumberText.fixed(loss, digits: 4)]) }
        rows.append(["ECE before temperature", NumberText.percent(calibration.errorBefore)])
        rows.append(["ECE after temperature", NumberText.percent(calibration.errorAfter)])
        return ModelCard.Table(
            title: "On the \(NumberText.grouped(validationLines)) validation lines", columns: ["measure", "value"],
            rows: rows)
    }
}
