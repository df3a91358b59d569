import CKernels
import Dispatch
import Models
import Tensors
import Text

/// One training step: a batch's gradients, shared out over the threads and summed in a fixed order, and the update.
final class TeacherStep {
    let configuration: TeacherConfiguration
    let options: TeacherTrainingOptions
    let weights: TeacherWeights
    /// The weights that learn.
    let tensors: [TeacherTensor]
    /// One per share of a batch. At least two, so that one thread and two give the same weights.
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

    /// The gradients that `computeGradients` left, in the order of `tensors`.
    var gradients: [TeacherTensor] { passes[0].gradientTensors }

    /// Gradients of the mean loss of `lines`; the sum of losses, and how many lines are right.
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
        // Each worker has a pass of its own; weights, states and lines are only read.
        nonisolated(unsafe) let passes = passes
        let weights = weights
        let workers = options.threads
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
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

    /// Updates the weights with those gradients; their norm before clipping.
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
        nonisolated(unsafe) let kernels = kernels
        let workers = options.threads
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
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
    /// A key for the `part`-th part of the work that `key` stands for.
    static func mixed(_ key: UInt64, _ part: UInt64) -> UInt64 {
        var state = part
        var mixed = key ^ splitMix64(&state)
        return splitMix64(&mixed)
    }
}
