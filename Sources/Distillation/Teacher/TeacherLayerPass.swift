import CKernels
import Models
import Tensors

/// One encoder block in training: a forward pass that keeps what the backward pass needs, and the backward pass.
///
/// Shapes in comments: T tokens, R rows that go on (all tokens, or the first of each line), D hidden, F intermediate.
/// The steps are those of Transformers' `BertLayer`:
///
///     A = LayerNorm(dropout(attention(X)·Woᵀ + bo) + X)        Y = LayerNorm(dropout(gelu(A·W1ᵀ + b1)·W2ᵀ + b2) + A)
final class TeacherLayerPass {
    let configuration: TeacherConfiguration
    /// The block's number in the model, for its dropout masks.
    let index: Int
    /// True in the last block of a model that pools by the first token: nothing else of its output is read.
    let firstTokensOnly: Bool
    let kernels = bert_kernels_best()
    let shared: TeacherPassScratch

    var span = TeacherSpan()
    /// (T, D), the caller's; must stay until the backward pass.
    var input: UnsafePointer<Float>
    let queryKeyValue = TeacherWorkspace()  // (T, 3·D)
    let probabilities = TeacherWorkspace()  // line by line (heads, length, length)
    let rowsIn = TeacherWorkspace()  // (R, D), where R isn't T
    let context = TeacherWorkspace()  // (R, D)
    let attended = TeacherWorkspace()  // A, (R, D)
    let attentionNormalized = TeacherWorkspace()  // (R, D)
    let attentionReciprocal = TeacherWorkspace()  // (R)
    let before = TeacherWorkspace()  // A·W1ᵀ + b1, (R, F)
    let wide = TeacherWorkspace()  // its activation, (R, F)
    let output = TeacherWorkspace()  // Y, (R, D)
    let outputNormalized = TeacherWorkspace()  // (R, D)
    let outputReciprocal = TeacherWorkspace()  // (R)

    init(_ configuration: TeacherConfiguration, index: Int, shared: TeacherPassScratch) {
        self.configuration = configuration
        self.index = index
        self.shared = shared
        firstTokensOnly = index == configuration.layers - 1 && configuration.pooling == .cls
        input = UnsafePointer(shared.branch.pointer)
    }

    var width: Int { configuration.hiddenSize }
    var rows: Int { firstTokensOnly ? span.lines : span.tokens }

    /// The row of (R, D) where a line starts.
    func firstRow(_ line: Int) -> Int { firstTokensOnly ? line : span.offsets[line] }

    /// Rows of (R, D) that a line has.
    func queries(_ line: Int) -> Int { firstTokensOnly ? min(1, span.length(line)) : span.length(line) }

    /// What of X goes on, (R, D).
    var residual: UnsafePointer<Float> { firstTokensOnly ? UnsafePointer(rowsIn.pointer) : input }

    /// Runs the block on `input` (T, D); the result (R, D) stays until the next call.
    func forward(
        _ input: UnsafePointer<Float>, span: TeacherSpan, weights: TeacherLayerWeights, dropout: TeacherDropout
    ) -> UnsafeMutablePointer<Float> {
        self.input = input
        self.span = span
        let wideWidth = configuration.intermediateSize
        project(weights)
        attend(dropout)

        let branch = shared.branch.reserve(rows * width)
        product(context.pointer, weights.attentionOutput, rows: rows, into: branch)
        var mask = dropout.mask(.attentionOutput, layer: index)
        kernels.pointee.residual_layer_norm(
            attended.reserve(rows * width), branch, weights.attentionOutputBias.pointer, residual,
            weights.attentionNormGain.pointer, weights.attentionNormShift.pointer, Int64(rows), Int64(width),
            configuration.layerNormEpsilon, attentionNormalized.reserve(rows * width),
            attentionReciprocal.reserve(rows), &mask)

        product(attended.pointer, weights.intermediate, rows: rows, into: wide.reserve(rows * wideWidth))
        kernels.pointee.bias_activation(
            wide.pointer, weights.intermediateBias.pointer, Int64(rows), Int64(wideWidth),
            configuration.activation.kernelCode, before.reserve(rows * wideWidth))

        product(wide.pointer, weights.output, rows: rows, into: branch)
        mask = dropout.mask(.output, layer: index)
        kernels.pointee.residual_layer_norm(
            output.reserve(rows * width), branch, weights.outputBias.pointer, attended.pointer,
            weights.outputNormGain.pointer, weights.outputNormShift.pointer, Int64(rows), Int64(width),
            configuration.layerNormEpsilon, outputNormalized.reserve(rows * width), outputReciprocal.reserve(rows),
            &mask)
        return output.pointer
    }

    /// queryKeyValue (T, 3·D) from input; the query part only of the rows that go on.
    private func project(_ weights: TeacherLayerWeights) {
        let all = queryKeyValue.reserve(span.tokens * 3 * width)
        if firstTokensOnly {
            gatherFirst(UnsafePointer(input), stride: width, into: rowsIn.reserve(span.lines * width))
            let queries = shared.branch.reserve(span.lines * width)
            product(
                rowsIn.pointer, weights.queryKeyValue, outputs: 0..<width, rows: span.lines, into: queries,
                stride: width)
            for line in 0..<span.lines where span.length(line) > 0 {
                (all + span.offsets[line] * 3 * width).update(from: queries + line * width, count: width)
            }
            product(
                input, weights.queryKeyValue, outputs: width..<3 * width, rows: span.tokens, into: all + width,
                stride: 3 * width)
        } else {
            product(input, weights.queryKeyValue, rows: span.tokens, into: all)
        }
        kernels.pointee.bias(all, weights.queryKeyValueBias.pointer, Int64(span.tokens), Int64(3 * width))
    }

    /// context (R, D) from queryKeyValue, line by line.
    private func attend(_ dropout: TeacherDropout) {
        let context = context.reserve(rows * width)
        var kept = probabilities.reserve(probabilityCount)
        let scratch = shared.attention.reserve(
            Int(bert_attention_scratch(Int64(span.longest), Int64(configuration.headWidth))))
        for line in 0..<span.lines {
            let queries = queries(line)
            if queries == 0, firstTokensOnly { (context + line * width).update(repeating: 0, count: width) }
            guard queries > 0 else { continue }
            var shape = attentionShape(line)
            var mask = dropout.mask(.attention, layer: index, line: line)
            kernels.pointee.attention(
                context + firstRow(line) * width, Int64(width), queryKeyValue.pointer + span.offsets[line] * 3 * width,
                Int64(queries), &shape, scratch, kept, &mask)
            kept += configuration.heads * span.length(line) * span.length(line)
        }
    }

    private var probabilityCount: Int {
        (0..<span.lines).reduce(0) { $0 + configuration.heads * span.length($1) * span.length($1) }
    }

    /// out (lines, D) = the first token's row of each line of `source` (T, D; stride), zeros for a line without tokens.
    func gatherFirst(_ source: UnsafePointer<Float>, stride: Int, into out: UnsafeMutablePointer<Float>) {
        for line in 0..<span.lines {
            if span.length(line) > 0 {
                (out + line * width).update(from: source + span.offsets[line] * stride, count: width)
            } else {
                (out + line * width).update(repeating: 0, count: width)
            }
        }
    }

    func attentionShape(_ line: Int) -> bert_attention_shape {
        bert_attention_shape(
            length: Int64(span.length(line)), heads: Int64(configuration.heads), width: Int64(configuration.headWidth),
            qkv_stride: Int64(3 * width), scale: 1 / Float(configuration.headWidth).squareRoot())
    }

    /// y (rows, outputs) = x · Wᵀ.
    private func product(
        _ x: UnsafePointer<Float>, _ weights: Matrix, outputs: Range<Int>? = nil, rows: Int,
        into y: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) {
        let range = outputs ?? 0..<weights.rows
        MatrixProduct.multiply(
            transposeB: true, m: rows, n: range.count, k: weights.columns, x, lda: weights.columns,
            weights.pointer + range.lowerBound * weights.columns, ldb: weights.columns, into: y,
            ldc: stride ?? range.count)
    }
}
