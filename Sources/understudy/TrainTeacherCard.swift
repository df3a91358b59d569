import Diagnostics
import Distillation
import Models

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
