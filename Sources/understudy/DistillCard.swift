import Diagnostics
import Distillation
import Models

/// The model card of a distilled student.
enum DistillCard {
    static func make(
        _ configuration: StudentConfiguration, _ metrics: StudentMetrics, recipe: StudentRecipe, train: String,
        unlabeled: [String], teachers: [String]
    ) -> ModelCard {
        let alone = teachers.isEmpty
        var card = ModelCard(
            title: configuration.version,
            summary: alone
                ? "A biLSTM text classifier, trained on labels alone."
                : "A biLSTM text classifier, distilled from a BERT teacher.", license: nil)
        card.labels = configuration.labels
        card.tags = ["text-classification", "bilstm"] + (alone ? [] : ["distillation"])
        card.data = [
            .init(name(train), "\(NumberText.grouped(metrics.trainLines)) labelled lines to learn from"),
            .init("all lines learnt from", NumberText.grouped(metrics.transferLines)),
        ]
        for path in unlabeled { card.data.append(.init(name(path), "unlabelled lines, judged by the teacher")) }
        let training = recipe.training
        card.recipe = [
            .init("teachers", alone ? "none" : teachers.map(name).joined(separator: ", ")),
            .init("input", "\(configuration.input.rawValue), \(configuration.vocabularySize) tokens"),
            .init("embedding, hidden, dense", "\(recipe.embeddingSize), \(recipe.hiddenSize), \(recipe.denseSize)"),
            .init("pooling", recipe.pooling.map(\.rawValue).joined(separator: ", ")),
            .init("shortcut buckets", String(configuration.shortcutBuckets)),
            .init(
                "early exit",
                configuration.earlyExit.map { "by n-grams alone from a confidence of \($0.threshold)" } ?? "none"),
            .init("embeddings from", embeddings(recipe)),
            .init(
                "loss",
                "\(training.loss.kind.rawValue), λ = \(training.loss.labelShare), T = \(training.loss.temperature)"),
            .init(
                "optimiser",
                "\(training.optimizer.kind.rawValue), rate \(training.optimizer.learningRate), "
                    + "\(training.optimizer.schedule.rawValue), batch \(training.batch)"),
            .init("epochs", "\(training.epochs), best \(metrics.bestEpoch)"),
            .init(
                "dropout of embedding, pooled, shortcut, tokens",
                "\(training.dropout.embedding), \(training.dropout.pooled), \(training.dropout.shortcut), "
                    + "\(training.tokenDropout)"),
            .init("augmented lines", String(recipe.augmentedLines)),
            .init("parameters", NumberText.grouped(metrics.parameters)),
        ]
        card.seed = training.seed
        card.results = [metrics.table]
        return card
    }

    private static func embeddings(_ recipe: StudentRecipe) -> String {
        switch recipe.embeddings {
        case .random: "random"
        case .context: "the teacher's mean hidden states, PCA"
        case .matrix: "the teacher's input embeddings, PCA"
        case .vectors(let path): name(path)
        }
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
