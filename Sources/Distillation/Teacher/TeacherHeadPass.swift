import CKernels
import Glibc
import Models
import Tensors

/// Pooler and classifier in training.
///
/// Shapes in comments: L lines, D hidden, C labels.
final class TeacherHeadPass {
    private let configuration: TeacherConfiguration
    private let kernels = bert_kernels_best()
    private var lines = 0
    private var input: UnsafePointer<Float>
    private let before = Scratch()  // pooler before tanh, (L, D)
    private let pooled = Scratch()  // after tanh, (L, D)
    private let dropped = Scratch()  // the classifier's input, (L, D)
    private let outputs = Scratch()  // (L, C)
    private let gradient = Scratch()  // (L, D)
    private let inputGradient = Scratch()  // (L, D)

    init(_ configuration: TeacherConfiguration) {
        self.configuration = configuration
        input = UnsafePointer(before.pointer)
    }

    /// logits (L, C) of features (L, D).
    func forward(
        _ features: UnsafePointer<Float>, lines: Int, weights: TeacherWeights, dropout: TeacherDropout
    ) -> UnsafeMutablePointer<Float> {
        let width = configuration.hiddenSize
        let labels = configuration.labels.count
        input = features
        self.lines = lines
        var source = features
        if configuration.pooling == .cls {
            MatrixProduct.multiply(
                transposeB: true, m: lines, n: width, k: width, features, lda: width, weights.pooler.pointer,
                ldb: width,
                into: pooled.floats(lines * width), ldc: width)
            kernels.pointee.bias_activation(
                pooled.pointer, weights.poolerBias.pointer, Int64(lines), Int64(width), Int32(BERT_TANH.rawValue),
                before.floats(lines * width))
            source = UnsafePointer(pooled.pointer)
        }
        var mask = dropout.mask(.classifier)
        kernels.pointee.dropout(dropped.floats(lines * width), source, Int64(lines * width), &mask)
        let logits = outputs.floats(lines * labels)
        MatrixProduct.multiply(
            transposeB: true, m: lines, n: labels, k: width, dropped.pointer, lda: width, weights.classifier.pointer,
            ldb: width, into: logits, ldc: labels)
        kernels.pointee.bias(logits, weights.classifierBias.pointer, Int64(lines), Int64(labels))
        return logits
    }

    /// From the gradient of the logits (L, C), adds to the head's gradients; returns the gradient of features (L, D).
    func backward(
        _ logitGradient: UnsafePointer<Float>, weights: TeacherWeights, gradients: TeacherWeights,
        dropout: TeacherDropout
    ) -> UnsafeMutablePointer<Float> {
        let width = configuration.hiddenSize
        let gradient = gradient.floats(lines * width)
        TeacherDense.backward(
            kernels, logitGradient, dropped.pointer, rows: lines, weights.classifier, gradients.classifier,
            gradients.classifierBias, into: gradient, add: false)
        var mask = dropout.mask(.classifier)
        kernels.pointee.dropout(gradient, gradient, Int64(lines * width), &mask)
        guard configuration.pooling == .cls else { return gradient }
        kernels.pointee.activation_backward(
            gradient, before.pointer, Int64(lines * width), Int32(BERT_TANH.rawValue))
        let out = inputGradient.floats(lines * width)
        TeacherDense.backward(
            kernels, gradient, input, rows: lines, weights.pooler, gradients.pooler, gradients.poolerBias, into: out,
            add: false)
        return out
    }
}

/// Cross-entropy of a softmax with label smoothing, as PyTorch's `cross_entropy(label_smoothing:)`.
enum TeacherLoss {
    /// Returns the sum of the lines' losses and the number of correct lines; `logits` (lines, labels) become the
    /// gradient of (sum of losses) · `scale`.
    static func softmaxCrossEntropy(
        _ logits: UnsafeMutablePointer<Float>, targets: [Int], labels: Int, smoothing: Float, scale: Float
    ) -> (loss: Double, correct: Int) {
        var loss = 0.0
        var correct = 0
        let even = smoothing / Float(labels)
        for (line, target) in targets.enumerated() {
            let row = logits + line * labels
            var best = 0
            for label in 1..<max(labels, 1) where row[label] > row[best] { best = label }
            if best == target { correct += 1 }
            let highest = row[best]
            var total: Float = 0
            for label in 0..<labels { total += exp(row[label] - highest) }
            let logTotal = highest + log(total)
            for label in 0..<labels {
                let wanted = even + (label == target ? 1 - smoothing : 0)
                loss += Double(wanted * (logTotal - row[label]))
                row[label] = scale * (exp(row[label] - logTotal) - wanted)
            }
        }
        return (loss, correct)
    }
}
