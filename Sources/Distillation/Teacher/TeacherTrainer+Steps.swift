import Models
import Tensors

/// Single steps, for tests against PyTorch and finite differences.
extension TeacherTrainer {
    /// Mean loss of `lines` at the present weights, and the gradient of every tensor that learns, by name.
    ///
    /// The same `key` drops the same elements.
    package func lossAndGradients(
        _ lines: [Int], of set: TeacherTrainingSet, key: UInt64 = 0
    ) -> (loss: Double, gradients: [TeacherTensor]) {
        let states =
            options.trainsEmbeddings
            ? nil
            : TeacherStates(
                set.tokens, configuration: configuration, weights: weights,
                layers: configuration.layers - options.layers, threads: 1, precision: options.frozenPrecision,
                isCancelled: { false }, progress: { _ in })
        let outcome = step.computeGradients(lines, of: set, states: states, key: key)
        // Gradients count their layers from the first that learns; the weights' names say which those are.
        let gradients = zip(step.tensors, step.gradients).map { weight, gradient in
            TeacherTensor(weight.name, gradient.matrix, shape: gradient.shape, offset: gradient.offset)
        }
        return (outcome.loss / Double(lines.count), gradients)
    }

    /// The update after `lossAndGradients`; the gradient's norm before clipping.
    package func update(factor: Float) -> Float { step.update(factor: factor) }
}
