import CKernels
import Models
import Tensors

/// One encoder block in training: a forward pass that keeps what the backward pass needs, and the backward pass.
///
/// Shapes in comments: T tokens, R rows that continue (all tokens, or the first of each line), D hidden, F
/// intermediate. The steps are those of Transformers' `BertLayer`:
///
///     A = LayerNorm(dropout(attention(X)·Woᵀ + bo) + X)        Y = LayerNorm(dropout(gelu(A·W1ᵀ + b1)·W2ᵀ + b2) + A)
final class TeacherLayerPass {
    let configuration: TeacherConfiguration
    /// The block's number in the model, for its dropout masks.
    let index: Int
    /// True for the last block of a model that pools by the first token: no other output is read.
    let firstTokensOnly: Bool
    let kernels = bert_kernels_best()
    let shared: TeacherPassScratch

    var span = TeacherSpan()
    /// (T, D), owned by the caller; must stay valid until the backward pass.
    var input: UnsafePointer<Float>
    let queryKeyValue = Scratch()  // (T, 3·D)
    let probabilities = Scratch()  // line by line (heads, length, length)
    let rowsIn = Scratch()  // (R, D), if R isn't T
    let context = Scratch()  // (R, D)
    let attended = Scratch()  // A, (R, D)
    let attentionNormalized = Scratch()  // (R, D)
    let attentionReciprocal = Scratch()  // (R)
    let before = Scratch()  // A·W1ᵀ + b1, (R, F)
    let wide = Scratch()  // its activation, (R, F)
    let output = Scratch()  // Y, (R, D)
    let outputNormalized = Scratch()  // (R, D)
    let outputReciprocal = Scratch()  // (R)

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

    /// The number of rows of (R, D) of a line.
    func queries(_ line: Int) -> Int { firstTokensOnly ? min(1, span.length(line)) : span.length(line) }

    /// The rows of X that continue, (R, D).
    var residual: UnsafePointer<Float> { firstTokensOnly ? UnsafePointer(rowsIn.pointer) : input }

    /// Runs the block on `input` (T, D); the result (R, D) is valid until the next call.
    func forward(
        _ input: UnsafePointer<Float>, span: TeacherSpan, weights: TeacherLayerWeights, dropout: TeacherDropout
    ) -> UnsafeMutablePointer<Float> {
        self.input = input
        self.span = span
        let wideWidth = configuration.intermediateSize
        project(weights)
        attend(dropout)

        let branch = shared.branch.floats(rows * width)
        product(context.pointer, weights.attentionOutput, rows: rows, into: branch)
        var mask = dropout.mask(.attentionOutput, layer: index)
        kernels.pointee.residual_layer_norm(
            attended.floats(rows * width), branch, weights.attentionOutputBias.pointer, residual,
            weights.attentionNormGain.pointer, weights.attentionNormShift.pointer, Int64(rows), Int64(width),
            configuration.layerNormEpsilon, attentionNormalized.floats(rows * width),
            attentionReciprocal.floats(rows), &mask)

        product(attended.pointer, weights.intermediate, rows: rows, into: wide.floats(rows * wideWidth))
        kernels.pointee.bias_activation(
            wide.pointer, weights.intermediateBias.pointer, Int64(rows), Int64(wideWidth),
            configuration.activation.kernelCode, before.floats(rows * wideWidth))

        product(wide.pointer, weights.output, rows: rows, into: branch)
        mask = dropout.mask(.output, layer: index)
        kernels.pointee.residual_layer_norm(
            output.floats(rows * width), branch, weights.outputBias.pointer, attended.pointer,
            weights.outputNormGain.pointer, weights.outputNormShift.pointer, Int64(rows), Int64(width),
            configuration.layerNormEpsilon, outputNormalized.floats(rows * width), outputReciprocal.floats(rows),
            &mask)
        return output.pointer
    }

    /// queryKeyValue (T, 3·D) from input; the query part only for the rows that continue.
    private func project(_ weights: TeacherLayerWeights) {
        let all = queryKeyValue.floats(span.tokens * 3 * width)
        if firstTokensOnly {
            gatherFirst(UnsafePointer(input), stride: width, into: rowsIn.floats(span.lines * width))
            let queries = shared.branch.floats(span.lines * width)
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
        let context = context.floats(rows * width)
        var kept = probabilities.floats(probabilityCount)
        let scratch = shared.attention.floats(
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

extension TeacherLayerPass {
    /// From the gradient of the block's output (R, D; overwritten), adds its weights' gradients to `gradients` and
    /// writes the gradient of its input (T, D) to `inputGradient` if that isn't nil.
    func backward(
        _ gradient: UnsafeMutablePointer<Float>, weights: TeacherLayerWeights, gradients: TeacherLayerWeights,
        dropout: TeacherDropout, inputGradient: UnsafeMutablePointer<Float>?
    ) {
        let rows = rows
        let wideWidth = configuration.intermediateSize
        let branch = shared.branch.floats(rows * width)

        // Y = LayerNorm(dropout(H·W2ᵀ + b2) + A): gradient becomes that of the sum.
        kernels.pointee.layer_norm_backward(
            gradient, outputNormalized.pointer, outputReciprocal.pointer, weights.outputNormGain.pointer, Int64(rows),
            Int64(width), gradients.outputNormGain.pointer, gradients.outputNormShift.pointer)
        var mask = dropout.mask(.output, layer: index)
        kernels.pointee.dropout(branch, gradient, Int64(rows * width), &mask)
        let wideGradient = shared.wideGradient.floats(rows * wideWidth)
        dense(
            branch, wide.pointer, rows: rows, weights.output, gradients.output, gradients.outputBias,
            into: wideGradient, add: false)

        // H = activation(A·W1ᵀ + b1): adds the gradient of A from the residual connection.
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
        let contextGradient = shared.contextGradient.floats(rows * width)
        dense(
            branch, context.pointer, rows: rows, weights.attentionOutput, gradients.attentionOutput,
            gradients.attentionOutputBias, into: contextGradient, add: false)

        attendBackward(contextGradient, dropout)
        projectBackward(
            weights, gradients, residualGradient: gradient, inputGradient: inputGradient)
    }

    /// queryKeyValueGradient (T, 3·D) from the gradient of context (R, D).
    private func attendBackward(_ contextGradient: UnsafePointer<Float>, _ dropout: TeacherDropout) {
        let all = shared.queryKeyValueGradient.floats(span.tokens * 3 * width)
        let scratch = shared.attention.floats(
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

    /// The gradients of the three projections, and of the block's input through the projections and the residual
    /// connection.
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
        // Keys and values of all tokens; the query columns stay zero, since only the first tokens have queries.
        let queries = shared.queryGradient.floats(span.lines * width)
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
        // The first tokens' queries and the residual connection.
        let first = shared.branch.floats(span.lines * width)
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

/// The backward pass of a dense layer.
enum TeacherDense {
    /// For y = x·Wᵀ + b with y's gradient (rows, outputs): W's gradient += gradientᵀ · x, b's += its column sums, and
    /// x's gradient (rows, inputs), if requested, = (or +=) gradient · W.
    static func backward(
        _ kernels: UnsafePointer<bert_kernels>, _ gradient: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int,
        _ weights: Matrix, _ weightGradient: Matrix, _ biasGradient: Matrix,
        into inputGradient: UnsafeMutablePointer<Float>?, add: Bool
    ) {
        let outputs = weights.rows
        let inputs = weights.columns
        kernels.pointee.add_column_sums(biasGradient.pointer, gradient, Int64(rows), Int64(outputs))
        MatrixProduct.multiply(
            transposeA: true, m: outputs, n: inputs, k: rows, gradient, lda: outputs, x, ldb: inputs, beta: 1,
            into: weightGradient.pointer, ldc: inputs)
        guard let inputGradient else { return }
        MatrixProduct.multiply(
            m: rows, n: inputs, k: outputs, gradient, lda: outputs, weights.pointer, ldb: inputs, beta: add ? 1 : 0,
            into: inputGradient, ldc: inputs)
    }
}

/// The dropout of one pass over a chunk of lines.
///
/// Masks are functions of the key, the place and the element, so the backward pass computes the same ones.
struct TeacherDropout {
    var hidden: Float
    var attention: Float
    var classifier: Float
    /// Different for every step and chunk.
    var key: UInt64

    /// No dropout at all.
    static let none = TeacherDropout(hidden: 0, attention: 0, classifier: 0, key: 0)

    enum Place: UInt64 {
        case embeddings, attention, attentionOutput, output, classifier
    }

    /// The kernels' form for one place; `line` distinguishes lines if elements are counted from each line's start.
    func mask(_ place: Place, layer: Int = 0, line: Int = 0) -> bert_dropout {
        let probability =
            switch place {
            case .attention: attention
            case .classifier: classifier
            case .embeddings, .attentionOutput, .output: hidden
            }
        var state = key ^ (place.rawValue << 56 | UInt64(layer) << 40 | UInt64(line))
        let bits = SeededGenerator.splitMix64(&state)
        return bert_dropout(
            key0: UInt32(truncatingIfNeeded: bits), key1: UInt32(truncatingIfNeeded: bits >> 32),
            threshold: UInt32(Double(probability) * 4_294_967_296), scale: 1 / (1 - probability))
    }
}
