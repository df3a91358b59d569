import Diagnostics
import Models
import Tensors

/// The student's early exit.
extension StudentDistiller {
    /// Distils the early exit beside a student whose validation logits are `logits`; nil where the recipe has none, where
    /// no threshold keeps the student's accuracy, or where training is stopped before the exit is whole.
    func exit(
        _ configuration: StudentConfiguration, _ material: Material, _ corpus: EncodedCorpus,
        _ targets: TrainingTargets, _ validation: EncodedCorpus, _ logits: [Float]
    ) -> (weights: ExitTrainer.Weights, threshold: ExitThreshold)? {
        guard recipe.earlyExit, configuration.shortcutBuckets > 0 else { return nil }
        let labels = configuration.labels.count
        let start = material.start.flatMap { start in
            start.weights.exit.rows > 0
                ? ExitTrainer.Weights(table: start.weights.exit, bias: start.weights.exitBias) : nil
        }
        let trained = ExitTrainer(loss: recipe.training.loss, seed: recipe.training.seed).train(
            corpus, targets, buckets: configuration.shortcutBuckets, labels: labels, start: start,
            shouldStop: shouldStop)
        guard case .learnt(let weights) = trained else {
            progress.note("early exit: left out, since training was stopped before it was whole")
            return nil
        }
        StudentWeights.round(weights.table, to: configuration.precision)
        let truth = material.validation.labelIndices
        let own = ExitTrainer.logits(validation, weights)
        guard let found = ExitThreshold.fit(exit: own, student: logits, labels: truth, labelCount: labels) else {
            progress.note("early exit: left out, since it would cost accuracy")
            return nil
        }
        let known = truth.indices.filter { truth[$0] >= 0 }
        let predictions = Predictions(logits: own, labelCount: labels)
        let right = known.count { predictions.indices[$0] == truth[$0] }
        progress.note(
            "early exit: \(NumberText.percent(found.share)) of the validation lines at a confidence of "
                + "\(found.exit.threshold); alone it has "
                + "\(NumberText.percent(Double(right) / Double(known.count))) accuracy")
        return (weights, found)
    }
}
