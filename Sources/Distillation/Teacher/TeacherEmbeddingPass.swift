import CKernels
import Models
import Tensors
import Text

/// The embeddings in training, if they are trained: the sum of word, position and type, LayerNorm, dropout.
final class TeacherEmbeddingPass {
    private let configuration: TeacherConfiguration
    private let kernels = bert_kernels_best()
    private let output = Scratch()  // (T, D)
    private let normalized = Scratch()  // (T, D)
    private let reciprocal = Scratch()  // (T)

    init(_ configuration: TeacherConfiguration) {
        self.configuration = configuration
    }

    /// (T, D) of the lines in `span`, whose ids follow each other in `ids`.
    func forward(
        _ ids: [Int32], span: TeacherSpan, weights: TeacherWeights, dropout: TeacherDropout
    ) -> UnsafeMutablePointer<Float> {
        let width = configuration.hiddenSize
        let count = span.tokens * width
        let out = output.floats(count)
        ids.withUnsafeBufferPointer { ids in
            guard let first = ids.baseAddress else { return }
            for line in 0..<span.lines {
                kernels.pointee.embed(
                    out + span.offsets[line] * width, first + span.offsets[line], Int64(span.length(line)),
                    Int64(width),
                    weights.wordEmbeddings.pointer, weights.positionEmbeddings.pointer, weights.typeEmbeddings.pointer)
            }
        }
        kernels.pointee.residual_layer_norm(
            out, out, nil, nil, weights.embeddingNormGain.pointer, weights.embeddingNormShift.pointer,
            Int64(span.tokens), Int64(width), configuration.layerNormEpsilon, normalized.floats(count),
            reciprocal.floats(span.tokens), nil)
        var mask = dropout.mask(.embeddings)
        kernels.pointee.dropout(out, out, Int64(count), &mask)
        return out
    }

    /// From the gradient of the output (T, D; overwritten), adds to the embeddings' gradients.
    func backward(
        _ gradient: UnsafeMutablePointer<Float>, ids: [Int32], span: TeacherSpan, weights: TeacherWeights,
        gradients: TeacherWeights, dropout: TeacherDropout
    ) {
        let width = configuration.hiddenSize
        var mask = dropout.mask(.embeddings)
        kernels.pointee.dropout(gradient, gradient, Int64(span.tokens * width), &mask)
        kernels.pointee.layer_norm_backward(
            gradient, normalized.pointer, reciprocal.pointer, weights.embeddingNormGain.pointer, Int64(span.tokens),
            Int64(width), gradients.embeddingNormGain.pointer, gradients.embeddingNormShift.pointer)
        kernels.pointee.add_column_sums(gradients.typeEmbeddings.pointer, gradient, Int64(span.tokens), Int64(width))
        for line in 0..<span.lines {
            let start = span.offsets[line]
            kernels.pointee.add(
                gradients.positionEmbeddings.pointer, gradient + start * width, Int64(span.length(line) * width))
            for token in start..<span.offsets[line + 1] {
                kernels.pointee.add(
                    gradients.wordEmbeddings.row(Int(ids[token])), gradient + token * width, Int64(width))
            }
        }
    }
}
