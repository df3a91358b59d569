import CKernels
import Models
import Tensors

extension TeacherLayerPass {
    /// From the gradient of the block's output (R, D; overwritten), adds its weights' gradients to `gradients` and
    /// writes the gradient of its input (T, D) to `inputGradient`, where that is given.
    func backward(
        _ gradient: UnsafeMutablePointer<Float>, weights: TeacherLayerWeights, gradients: TeacherLayerWeights,
        dropout: TeacherDropout, inputGradient: UnsafeMutablePointer<Float>?
    ) {
        let rows = rows
        let wideWidth = configuration.intermediateSize
        let branch = shared.branch.reserve(rows * width)

        // Y = LayerNorm(dropout(H·W2ᵀ + b2) + A): gradient becomes that of the sum.
        kernels.pointee.layer_norm_backward(
            gradient, outputNormalized.pointer, outputReciprocal.pointer, weights.outputNormGain.pointer, Int64(rows),
            Int64(width), gradients.outputNormGain.pointer, gradients.outputNormShift.pointer)
        var mask = dropout.mask(.output, layer: index)
        kernels.pointee.dropout(branch, gradient, Int64(rows * width), &mask)
        let wideGradient = shared.wideGradient.reserve(rows * wideWidth)
        dense(
            branch, wide.pointer, rows: rows, weights.output, gradients.output, gradients.outputBias,
            into: wideGradient, add: false)

        // H = activation(A·W1ᵀ + b1): A's gradient joins what came past it.
        kernels.pointee.activation_backward(
            wideGradient, before.pointer, Int64(rows * wideWidth), configuration.activation.kernelCode)
        dense(
            wideGradient, attended.pointer, rows: rows, weights.intermediate, gradients.intermediate,
            gradients.intermediateBias, into: gradient, add: true)

        // A = LayerNorm(dropout(C·Woᵀ + bo) + X)
        kernels.pointee.layer_norm_backward(
            gradient, attentionNormalized.pointer, attentionReciprocal.pointer, weights.attentionNormGain.pointer,
            Int64(rows), Int64(width), gradients.attentionNormGain.pointer, gradients.attentionNormShift.pointer)
        mask = dropout.mask(.attentionOutput, layer: index)
        kernels.pointee.dropout(branch, gradient, Int64(rows * width), &mask)
        let contextGradient = shared.contextGradient.reserve(rows * width)
        dense(
            branch, context.pointer, rows: rows, weights.attentionOutput, gradients.attentionOutput,
            gradients.attentionOutputBias, into: contextGradient, add: false)

        attendBackward(contextGradient, dropout)
        projectBackward(
            weights, gradients, residualGradient: gradient, inputGradient: inputGradient)
    }

    /// queryKeyValueGradient (T, 3·D) from the gradient of context (R, D).
    private func attendBackward(_ contextGradient: UnsafePointer<Float>, _ dropout: TeacherDropout) {
        let all = shared.queryKeyValueGradient.reserve(span.tokens * 3 * width)
        let scratch = shared.attention.reserve(
            Int(bert_attention_scratch(Int64(span.longest), Int64(configuration.headWidth))))
        var kept = probabilities.pointer
        for line in 0..<span.lines {
            let queries = queries(line)
            guard queries > 0 else { continue }
            var shape = attentionShape(line)
            var mask = dropout.mask(.attention, layer: index, line: line)
            kernels.pointee.attention_backward(
                all + span.offsets[line] * 3 * width, contextGradient + firstRow(line) * width, Int64(width),
                queryKeyValue.pointer + span.offsets[line] * 3 * width, Int64(queries), kept, &shape, scratch, &mask)
            kept += configuration.heads * span.length(line) * span.length(line)
        }
    }

    /// The gradients of the three projections, and of the block's input: through them, and past them.
    private func projectBackward(
        _ weights: TeacherLayerWeights, _ gradients: TeacherLayerWeights,
        residualGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>?
    ) {
        let all = shared.queryKeyValueGradient.pointer
        guard firstTokensOnly else {
            dense(
                all, input, rows: span.tokens, weights.queryKeyValue, gradients.queryKeyValue,
                gradients.queryKeyValueBias, into: inputGradient, add: false)
            if let inputGradient {
                kernels.pointee.add(inputGradient, residualGradient, Int64(span.tokens * width))
            }
            return
        }
        // Keys and values of all tokens; the query columns are left as zeros, since only the first tokens asked.
        let queries = shared.queryGradient.reserve(span.lines * width)
        gatherFirst(all, stride: 3 * width, into: queries)
        for token in 0..<span.tokens { (all + token * 3 * width).update(repeating: 0, count: width) }
        kernels.pointee.add_column_sums(
            gradients.queryKeyValueBias.pointer, all, Int64(span.tokens), Int64(3 * width))
        kernels.pointee.add_column_sums(
            gradients.queryKeyValueBias.pointer, queries, Int64(span.lines), Int64(width))
        MatrixProduct.multiply(
            transposeA: true, m: 2 * width, n: width, k: span.tokens, all + width, lda: 3 * width, input, ldb: width,
            beta: 1, into: gradients.queryKeyValue.row(width), ldc: width)
        MatrixProduct.multiply(
            transposeA: true, m: width, n: width, k: span.lines, queries, lda: width, rowsIn.pointer, ldb: width,
            beta: 1, into: gradients.queryKeyValue.pointer, ldc: width)
        guard let inputGradient else { return }
        MatrixProduct.multiply(
            m: span.tokens, n: width, k: 2 * width, all + width, lda: 3 * width, weights.queryKeyValue.row(width),
            ldb: width, into: inputGradient, ldc: width)
        // The first tokens' queries and the way past attention.
        let first = shared.branch.reserve(span.lines * width)
        MatrixProduct.multiply(
            m: span.lines, n: width, k: width, queries, lda: width, weights.queryKeyValue.pointer, ldb: width,
            into: first, ldc: width)
        kernels.pointee.add(first, residualGradient, Int64(span.lines * width))
        for line in 0..<span.lines where span.length(line) > 0 {
            kernels.pointee.add(inputGradient + span.offsets[line] * width, first + line * width, Int64(width))
        }
    }

    /// The backward pass of y = x·Wᵀ + b: adds to W's and b's gradients, and writes x's or adds to it.
    private func dense(
        _ gradient: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int, _ weights: Matrix,
        _ weightGradient: Matrix, _ biasGradient: Matrix, into inputGradient: UnsafeMutablePointer<Float>?, add: Bool
    ) {
        TeacherDense.backward(
            kernels, gradient, x, rows: rows, weights, weightGradient, biasGradient, into: inputGradient, add: add)
    }
}
