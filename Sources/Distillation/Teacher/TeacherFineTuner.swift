import Diagnostics
import Models
import Tensors
import Text

/// From a base's directory and labelled lines to a teacher: reads the base, tokenises, trains, fits the temperature.
public struct TeacherFineTuner {
    /// What a fine-tuning made.
    public struct Outcome {
        public let configuration: TeacherConfiguration
        public let weights: TeacherWeights
        public let metrics: TeacherMetrics
    }

    public let base: String
    public let tokenizer: LoadedTokenizer
    public let options: TeacherTrainingOptions
    /// The base's own labels; empty where it was never a classifier.
    public let baseLabels: [String]
    private let baseConfiguration: TeacherConfiguration

    /// - Parameter pooling: nil takes what the base's configuration says.
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

    /// Trains on lines with labels (those without are passed over); both sets must have the same labels.
    ///
    /// `isCancelled` is asked between steps; the best measured epoch is kept then.
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
        // A classifier of other labels, or of the same in another order, is of no use.
        var missing = file.missing
        if baseLabels != train.labels { missing.formUnion(file.weights.classifierTensors.map(\.name)) }
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
