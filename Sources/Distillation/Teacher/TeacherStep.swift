import CKernels
import Models
import Tensors
import Text

/// One training step: a batch's gradients, distributed over the threads and summed in a fixed order, and the update.
final class TeacherStep {
    let configuration: TeacherConfiguration
    let options: TeacherTrainingOptions
    let weights: TeacherWeights
    /// The trained weights.
    let tensors: [TeacherTensor]
    /// One per part of a batch. At least two, so that one thread and two give the same weights.
    private let passes: [TeacherPass]
    private let optimiser: TeacherAdamW
    private let kernels = bert_kernels_best()

    init(_ configuration: TeacherConfiguration, weights: TeacherWeights, options: TeacherTrainingOptions) {
        self.configuration = configuration
        self.options = options
        self.weights = weights
        let first = configuration.layers - options.layers
        tensors = TeacherPass.tensors(
            weights, layers: first..<configuration.layers, embeddings: options.trainsEmbeddings)
        passes = (0..<max(2, options.threads)).map { _ in TeacherPass(configuration, options: options) }
        optimiser = TeacherAdamW(tensors, options: options)
    }

    /// The gradients of the last `computeGradients`, in the order of `tensors`.
    var gradients: [TeacherTensor] { passes[0].gradientTensors }

    /// Computes the gradients of the mean loss of `lines`; returns the sum of losses and the number of correct lines.
    func computeGradients(
        _ lines: [Int], of set: TeacherTrainingSet, states: TeacherStates?, key: UInt64
    ) -> (loss: Double, correct: Int) {
        let shards = share(lines, of: set)
        let scale = 1 / Float(lines.count)
        let dropout = options.dropout
        let masks = (0..<shards.count).map { shard in
            TeacherDropout(
                hidden: dropout ?? configuration.hiddenDropout, attention: dropout ?? configuration.attentionDropout,
                classifier: dropout ?? configuration.classifierDropout,
                key: SeededGenerator.mixed(key, UInt64(shard)))
        }
        // Each worker has its own passes; weights, states and lines are only read.
        let workers = options.threads
        Parallel.run(workers) { worker in
            for shard in stride(from: worker, to: shards.count, by: workers) {
                passes[shard].run(
                    shards[shard], of: set, states: states, weights: weights, dropout: masks[shard], scale: scale)
            }
        }
        var total = (loss: 0.0, correct: 0)
        for pass in passes.prefix(shards.count) {
            total.loss += pass.loss
            total.correct += pass.correct
        }
        addUp(shards.count)
        return total
    }

    /// Updates the weights with those gradients; returns their norm before clipping.
    func update(factor: Float) -> Float { optimiser.step(gradients, factor: factor) }

    /// Runs of lines with about the same number of tokens, one per pass.
    private func share(_ lines: [Int], of set: TeacherTrainingSet) -> [ArraySlice<Int>] {
        let total = lines.reduce(0) { $0 + set.tokens.length($1) }
        var shards: [ArraySlice<Int>] = []
        var first = 0
        var tokens = 0
        for (index, line) in lines.enumerated() {
            tokens += set.tokens.length(line)
            if tokens * passes.count >= total * (shards.count + 1) || index == lines.count - 1 {
                shards.append(lines[first...index])
                first = index + 1
            }
        }
        return shards
    }

    /// Adds the other passes' gradients to the first's, in their order.
    private func addUp(_ shards: Int) {
        guard shards > 1 else { return }
        let gradients = passes.prefix(shards).map(\.gradientTensors)
        let workers = options.threads
        Parallel.run(workers) { worker in
            for index in stride(from: worker, to: gradients[0].count, by: workers) {
                for shard in 1..<shards {
                    kernels.pointee.add(
                        gradients[0][index].pointer, gradients[shard][index].pointer,
                        Int64(gradients[0][index].count))
                }
            }
        }
    }
}

extension SeededGenerator {
    /// A key for the `part`-th part of the work of `key`.
    static func mixed(_ key: UInt64, _ part: UInt64) -> UInt64 {
        var state = part
        var mixed = key ^ splitMix64(&state)
        return splitMix64(&mixed)
    }
}

/// AdamW with decoupled weight decay on matrices, none on biases and LayerNorms.
///
/// Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
final class TeacherAdamW {
    private let tensors: [TeacherTensor]
    private let means: [Matrix]
    private let squares: [Matrix]
    private let options: TeacherTrainingOptions
    private let kernels = bert_kernels_best()
    private var steps = 0

    init(_ tensors: [TeacherTensor], options: TeacherTrainingOptions) {
        self.tensors = tensors
        self.options = options
        means = tensors.map { Matrix(rows: 1, columns: $0.count) }
        squares = tensors.map { Matrix(rows: 1, columns: $0.count) }
    }

    /// One step with `gradients`, which are in the order of the tensors; returns their global norm before clipping.
    ///
    /// `factor` is the schedule's share of the highest rates.
    func step(_ gradients: [TeacherTensor], factor: Float) -> Float {
        steps += 1
        let norm = globalNorm(gradients)
        let scale = norm > options.maximumGradientNorm ? options.maximumGradientNorm / (norm + 1e-6) : 1
        let correction1 = 1 - power(options.beta1, steps)
        let correction2 = 1 - power(options.beta2, steps)
        forEachTensor { index in
            let tensor = tensors[index]
            let rate =
                factor * (tensor.form.matrix.part.isHead ? options.headLearningRate : options.learningRate)
            kernels.pointee.adamw(
                tensor.pointer, means[index].pointer, squares[index].pointer, gradients[index].pointer,
                Int64(tensor.count), scale, rate, options.beta1, options.beta2, options.epsilon,
                tensor.shape.count > 1 ? options.weightDecay : 0, correction1, correction2)
        }
        return norm
    }

    private func globalNorm(_ gradients: [TeacherTensor]) -> Float {
        let sums = AlignedBuffer<Double>(zeros: gradients.count)
        forEachTensor { index in
            sums.pointer[index] = kernels.pointee.sum_of_squares(
                gradients[index].pointer, Int64(gradients[index].count))
        }
        return Float(sums.array.reduce(0, +).squareRoot())
    }

    /// Each tensor is processed by one thread, so the order of threads doesn't matter.
    private func forEachTensor(_ body: (Int) -> Void) {
        let workers = min(options.threads, tensors.count)
        Parallel.run(workers) { worker in
            for index in stride(from: worker, to: tensors.count, by: workers) { body(index) }
        }
    }

    private func power(_ base: Float, _ exponent: Int) -> Float {
        var result = 1.0
        for _ in 0..<exponent { result *= Double(base) }
        return Float(result)
    }
}
