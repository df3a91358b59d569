import Configuration
import Diagnostics
import Distillation
import Models
import Tensors

/// Makes a candidate, and its twin that has no teacher, from the harvest and a replay of the base transfer set.
struct CandidateTraining {
    /// Share of the lines to learn from that choose the epoch instead.
    static let validationShare = 0.1
    /// Fewer labelled lines make no student to compare with.
    static let fewestLabels = 50

    let request: RunRequest
    let materials: RunMaterials
    let harvest: Harvest.Outcome
    let replay: DataSet
    let seed: UInt64
    let limits: RunLimits
    let progress: ProgressMeter

    /// Labelled and unlabelled lines together.
    var lines: DataSet {
        get throws(UnderstudyError) { try harvest.learnt.concatenated(with: replay) }
    }

    /// Lines of each label to learn from, the replay's included.
    var perLabel: [Int] {
        var counts = harvest.perLabel
        for label in replay.labelIndices where label >= 0 { counts[Int(label)] += 1 }
        return counts
    }

    /// The candidate: taught by the teacher's logits, and by labels where there are any.
    func candidate(_ panel: TeacherPanel) throws(UnderstudyError) -> StudentDistiller.Result {
        let (train, validation) = try lines.split(validationShare: Self.validationShare, salt: Self.salt)
        var material = StudentDistiller.Material(
            train: train, validation: try judged(validation, panel), tokenizer: materials.tokenizer)
        material.panel = panel
        material.knownLogits = harvest.known
        material.trusted = harvest.trusted
        return try distil(&material)
    }

    /// The same from labels alone; nil where there are too few of them, or the time is over before it has learnt anything.
    func alone() throws(UnderstudyError) -> StudentDistiller.Result? {
        let labelled = try lines.labelled()
        guard labelled.count >= Self.fewestLabels else { return nil }
        let (train, validation) = labelled.split(validationShare: Self.validationShare, salt: Self.salt)
        guard train.labelledCount > 0, validation.labelledCount > 0 else { return nil }
        var material = StudentDistiller.Material(
            train: train, validation: validation, tokenizer: materials.tokenizer)
        do throws(UnderstudyError) {
            return try distil(&material)
        } catch {
            // The candidate is there and goes to the gate without its twin.
            guard error.code == .tryAgain, limits.breach == .outOfTime else { throw error }
            return nil
        }
    }

    private static let salt: UInt64 = 0x6570_6f63_6873

    private func distil(
        _ material: inout StudentDistiller.Material
    ) throws(UnderstudyError) -> StudentDistiller.Result {
        var recipe = Self.recipe(request.redistill, seed: seed)
        recipe.takeShape(of: materials.serving.configuration)
        material.start = StudentDistiller.Start(
            configuration: materials.serving.configuration, weights: try beginning(recipe))
        let limits = limits
        let distiller = StudentDistiller(recipe, progress: progress, shouldStop: { limits.breach != nil })
        let result = try limits.explaining { [material] () throws(UnderstudyError) in try distiller.run(material) }
        // A measured epoch is worth judging where only the time was over.
        if result.metrics.wasInterrupted { try limits.checkAllButTime() }
        return result
    }

    /// The serving student's weights; from scratch, of those the token vectors alone. They come from a teacher that isn't
    /// asked for them again.
    private func beginning(_ recipe: StudentRecipe) throws(UnderstudyError) -> StudentWeights {
        let configuration = materials.serving.configuration
        let parent = try StudentFiles.weights(directory: materials.servingDirectory, configuration)
        guard request.redistill.start == .scratch else { return parent }
        let fresh = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: seed, stream: 0)
        fresh.randomize(
            configuration, using: &generator, embeddingDeviation: recipe.embeddingDeviation, lstm: recipe.lstm)
        withExtendedLifetime(parent) {
            fresh.embedding.pointer.update(from: parent.embedding.pointer, count: fresh.embedding.count)
        }
        return fresh
    }

    /// Lines with the label that they are judged by: their own, or the teacher's.
    private func judged(_ lines: DataSet, _ panel: TeacherPanel) throws(UnderstudyError) -> DataSet {
        let limits = limits
        let logits = try limits.explaining { () throws(UnderstudyError) in
            try panel.logits(of: lines, known: harvest.known, progress: progress, shouldStop: { limits.breach != nil })
        }
        let predictions = Predictions(logits: logits.storage.array, labelCount: lines.labels.count)
        let labels = lines.labelIndices.enumerated().map { $1 >= 0 ? $1 : predictions.indices[$0] }
        return DataSet(labels: lines.labels, lines: lines.lines, labelIndices: labels)
    }

    static func recipe(_ settings: RedistillSettings, seed: UInt64) -> StudentRecipe {
        var recipe = StudentRecipe()
        recipe.training.seed = seed
        recipe.training.threads = settings.threads
        recipe.training.epochs = settings.epochs
        recipe.training.optimizer.learningRate = Float(settings.learningRate)
        recipe.training.optimizer.shortcutRateFactor = 10
        recipe.training.optimizer.warmup = 0.02
        recipe.training.optimizer.clip = 5
        recipe.training.loss = DistillationLoss(kind: .kl, labelShare: 0.5, temperature: 2)
        recipe.training.dropout.embedding = 0.2
        recipe.training.dropout.pooled = 0.3
        recipe.augmentedLines = 0
        return recipe
    }
}
