import CKernels
import Dispatch
import Models
import Tensors

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
        forEachTensor { index, kernels in
            let tensor = self.tensors[index]
            let isHead = !tensor.name.hasPrefix("bert.encoder") && !tensor.name.hasPrefix("bert.embeddings")
            let rate = factor * (isHead ? self.options.headLearningRate : self.options.learningRate)
            kernels.pointee.adamw(
                tensor.pointer, self.means[index].pointer, self.squares[index].pointer, gradients[index].pointer,
                Int64(tensor.count), scale, rate, self.options.beta1, self.options.beta2, self.options.epsilon,
                tensor.shape.count > 1 ? self.options.weightDecay : 0, correction1, correction2)
        }
        return norm
    }

    private func globalNorm(_ gradients: [TeacherTensor]) -> Float {
        let sums = AlignedBuffer<Double>(zeros: gradients.count)
        forEachTensor { index, kernels in
            sums.pointer[index] = kernels.pointee.sum_of_squares(
                gradients[index].pointer, Int64(gradients[index].count))
        }
        return Float(sums.array.reduce(0, +).squareRoot())
    }

    /// Each tensor is one thread's, so the order of threads changes nothing.
    private func forEachTensor(_ body: (Int, UnsafePointer<bert_kernels>) -> Void) {
        guard options.threads > 1 else {
            for index in tensors.indices { body(index, kernels) }
            return
        }
        nonisolated(unsafe) let body = body
        nonisolated(unsafe) let kernels = kernels
        let count = tensors.count
        let workers = min(options.threads, count)
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            for index in stride(from: worker, to: count, by: workers) { body(index, kernels) }
        }
    }

    private func power(_ base: Float, _ exponent: Int) -> Float {
        var result = 1.0
        for _ in 0..<exponent { result *= Double(base) }
        return Float(result)
    }
}
