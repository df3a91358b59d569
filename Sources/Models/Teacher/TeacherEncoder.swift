import CKernels
import Tensors
import Text

/// One thread's encoder: the forward pass over some lines, with working memory that grows to the size of the largest
/// chunk.
///
/// Shapes in comments: T tokens, L lines, D hidden, F intermediate.
public final class TeacherEncoder {
    private let configuration: TeacherConfiguration
    private let weights: TeacherServingWeights
    private let kernels = bert_kernels_best()
    private var capacity = 0
    private var scratchCapacity = 0
    private var hidden = AlignedBuffer<Float>(zeros: 0)  // (T, D)
    private var projected = AlignedBuffer<Float>(zeros: 0)  // (T, D)
    /// Attention has finished before the block's second half begins. Both use this: (T, 3·D) and (T, D), then (T, F).
    private var wide = AlignedBuffer<Float>(zeros: 0)
    private var queryKeyValue: UnsafeMutablePointer<Float> { wide.pointer }
    private var context: UnsafeMutablePointer<Float> { wide.pointer + 3 * capacity * configuration.hiddenSize }
    private var scratch = AlignedBuffer<Float>(zeros: 0)
    private let dense = DenseScratch()
    /// 0, 1, 2 … up to the longest line.
    private lazy var places = AlignedBuffer<Int32>(0..<Int32(configuration.maximumLength))

    /// The pass whose threads share this encoder's steps. For few lines only: many lines are better distributed whole.
    var pass: SharedPass? {
        get { dense.pass }
        set { dense.pass = newValue }
    }

    init(_ configuration: TeacherConfiguration, _ weights: TeacherServingWeights) {
        self.configuration = configuration
        self.weights = weights
    }

    /// Encoders that share one copy of the present `weights`, in `precision`: for blocks that aren't trained.
    public static func frozen(
        _ count: Int, _ configuration: TeacherConfiguration, _ weights: TeacherWeights, precision: TeacherPrecision
    ) -> [TeacherEncoder] {
        let serving = TeacherServingWeights(weights, precision: precision)
        return (0..<count).map { _ in TeacherEncoder(configuration, serving) }
    }

    /// An encoder that reads the present `weights` at each call, in f32: for training, where they change.
    public convenience init(_ configuration: TeacherConfiguration, _ weights: TeacherWeights) {
        self.init(configuration, TeacherServingWeights(weights, precision: .f32))
    }

    /// Writes the logits (lines.count, labels) of the batch's `lines` to `logits`.
    public func logits(_ tokens: TokenBatch, lines: Range<Int>, into logits: UnsafeMutablePointer<Float>) {
        prepare(tokens, lines: lines)
        embed(tokens, lines: lines)
        run(from: 0, to: configuration.layers, tokens, lines: lines)
        classify(tokens, lines: lines, into: logits)
    }

    /// Writes the states (tokens of `lines`, D) after the first `layers` blocks to `states`; 0 gives the embeddings.
    public func states(
        _ tokens: TokenBatch, lines: Range<Int>, after layers: Int, into states: UnsafeMutablePointer<Float>
    ) {
        prepare(tokens, lines: lines)
        embed(tokens, lines: lines)
        // The last block is shortened only for logits.
        for index in 0..<layers { layer(index, tokens, lines: lines) }
        let count = Int(tokens.offsets[lines.upperBound] - tokens.offsets[lines.lowerBound])
        states.update(from: hidden.pointer, count: count * configuration.hiddenSize)
    }

    /// Writes the logits of `lines` from their states (tokens of `lines`, D) after the first `layers` blocks.
    public func logits(
        from states: UnsafePointer<Float>, after layers: Int, _ tokens: TokenBatch, lines: Range<Int>,
        into logits: UnsafeMutablePointer<Float>
    ) {
        prepare(tokens, lines: lines)
        let count = Int(tokens.offsets[lines.upperBound] - tokens.offsets[lines.lowerBound])
        hidden.pointer.update(from: states, count: count * configuration.hiddenSize)
        run(from: layers, to: configuration.layers, tokens, lines: lines)
        classify(tokens, lines: lines, into: logits)
    }

    private func run(from first: Int, to end: Int, _ tokens: TokenBatch, lines: Range<Int>) {
        for index in first..<end {
            if index == configuration.layers - 1, configuration.pooling == .cls {
                lastLayer(index, tokens, lines: lines)
            } else {
                layer(index, tokens, lines: lines)
            }
        }
        if first == end, configuration.pooling == .cls { gatherFirst(tokens, lines: lines) }
    }

    /// hidden (T, D) → hidden (L, D): the first token of each line, zeros for a line without tokens.
    private func gatherFirst(_ tokens: TokenBatch, lines: Range<Int>) {
        let width = configuration.hiddenSize
        let base = Int(tokens.offsets[lines.lowerBound])
        for (row, line) in lines.enumerated() {
            let first = context + row * width
            if tokens.length(line) > 0 {
                first.update(from: hidden.pointer + (Int(tokens.offsets[line]) - base) * width, count: width)
            } else {
                first.update(repeating: 0, count: width)
            }
        }
        hidden.pointer.update(from: context, count: lines.count * width)
    }

    private func prepare(_ tokens: TokenBatch, lines: Range<Int>) {
        let count = max(Int(tokens.offsets[lines.upperBound] - tokens.offsets[lines.lowerBound]), lines.count)
        if count > capacity {
            capacity = count
            hidden = AlignedBuffer(zeros: count * configuration.hiddenSize)
            projected = AlignedBuffer(zeros: count * configuration.hiddenSize)
            wide = AlignedBuffer(zeros: count * max(4 * configuration.hiddenSize, configuration.intermediateSize))
        }
        let longest = lines.lazy.map { tokens.length($0) }.max() ?? 0
        precondition(longest <= configuration.maximumLength, "a line has \(longest) tokens")
        let needed = Int(bert_attention_scratch(Int64(longest), Int64(configuration.headWidth)))
        if needed > scratchCapacity {
            scratchCapacity = needed
            scratch = AlignedBuffer(zeros: needed)
        }
    }

    /// hidden (T, D) = LayerNorm(word + position + type 0).
    private func embed(_ tokens: TokenBatch, lines: Range<Int>) {
        let width = configuration.hiddenSize
        let vocabulary = Int32(configuration.vocabularySize)
        let base = Int(tokens.offsets[lines.lowerBound])
        let total = Int(tokens.offsets[lines.upperBound]) - base
        tokens.ids.withUnsafeBufferPointer { ids in
            guard let first = ids.baseAddress else { return }
            for index in base..<base + total {
                precondition(first[index] >= 0 && first[index] < vocabulary, "id \(first[index]) isn't a token")
            }
            for line in lines {
                let start = Int(tokens.offsets[line])
                var ids = first + start
                var words = context
                switch weights.wordEmbeddings {
                case .single(let matrix): words = matrix.pointer
                case .half, .quantised:
                    // The line's own rows, in its order, replace the matrix.
                    for token in 0..<tokens.length(line) {
                        weights.wordEmbeddings.read(first: Int(ids[token]), into: words + token * width)
                    }
                    ids = UnsafePointer(places.pointer)
                }
                kernels.pointee.embed(
                    hidden.pointer + (start - base) * width, ids, Int64(tokens.length(line)), Int64(width), words,
                    weights.f32.positionEmbeddings.pointer, weights.f32.typeEmbeddings.pointer)
            }
        }
        kernels.pointee.residual_layer_norm(
            hidden.pointer, hidden.pointer, nil, nil, weights.f32.embeddingNormGain.pointer,
            weights.f32.embeddingNormShift.pointer, Int64(total), Int64(width), configuration.layerNormEpsilon, nil,
            nil, nil)
    }

    /// hidden (T, D) → hidden (T, D): a whole encoder block.
    private func layer(_ index: Int, _ tokens: TokenBatch, lines: Range<Int>) {
        let layer = weights.layers[index]
        let width = configuration.hiddenSize
        let base = Int(tokens.offsets[lines.lowerBound])
        let total = Int(tokens.offsets[lines.upperBound]) - base
        layer.queryKeyValue.multiply(
            hidden.pointer, rows: total, into: queryKeyValue, ldy: 3 * width, scratch: dense)
        kernels.pointee.bias(
            queryKeyValue, weights.f32.layers[index].queryKeyValueBias.pointer, Int64(total), Int64(3 * width))
        for line in lines {
            let start = Int(tokens.offsets[line]) - base
            var shape = attentionShape(length: tokens.length(line))
            kernels.pointee.attention(
                context + start * width, Int64(width), queryKeyValue + start * 3 * width, shape.length,
                &shape, scratch.pointer, nil, nil)
        }
        finish(index, rows: total)
    }

    /// hidden (T, D) → hidden (L, D): the block's output for only the first token of each line.
    ///
    /// Keys and values are needed for every token, everything else only for the first.
    private func lastLayer(_ index: Int, _ tokens: TokenBatch, lines: Range<Int>) {
        let layer = weights.layers[index]
        let product = layer.queryKeyValue
        let width = configuration.hiddenSize
        let base = Int(tokens.offsets[lines.lowerBound])
        let total = Int(tokens.offsets[lines.upperBound]) - base
        product.multiply(
            hidden.pointer, rows: total, into: queryKeyValue + width, ldy: 3 * width,
            outputs: width..<3 * width, scratch: dense)
        gatherFirst(tokens, lines: lines)
        product.multiply(
            hidden.pointer, rows: lines.count, into: projected.pointer, ldy: width, outputs: 0..<width, scratch: dense
        )
        for (row, line) in lines.enumerated() where tokens.length(line) > 0 {
            let start = Int(tokens.offsets[line]) - base
            (queryKeyValue + start * 3 * width).update(from: projected.pointer + row * width, count: width)
        }
        kernels.pointee.bias(
            queryKeyValue, weights.f32.layers[index].queryKeyValueBias.pointer, Int64(total), Int64(3 * width))
        for (row, line) in lines.enumerated() {
            guard tokens.length(line) > 0 else {
                (context + row * width).update(repeating: 0, count: width)
                continue
            }
            let start = Int(tokens.offsets[line]) - base
            var shape = attentionShape(length: tokens.length(line))
            kernels.pointee.attention(
                context + row * width, Int64(width), queryKeyValue + start * 3 * width, 1, &shape,
                scratch.pointer, nil, nil)
        }
        finish(index, rows: lines.count)
    }

    /// The part after attention, token by token: hidden and context (rows, D) → hidden (rows, D).
    private func finish(_ index: Int, rows: Int) {
        let layer = weights.layers[index]
        let vectors = weights.f32.layers[index]
        let width = configuration.hiddenSize
        layer.attentionOutput.multiply(
            context, rows: rows, into: projected.pointer, ldy: width, scratch: dense)
        kernels.pointee.residual_layer_norm(
            hidden.pointer, projected.pointer, vectors.attentionOutputBias.pointer, hidden.pointer,
            vectors.attentionNormGain.pointer, vectors.attentionNormShift.pointer, Int64(rows), Int64(width),
            configuration.layerNormEpsilon, nil, nil, nil)
        layer.intermediate.multiply(
            hidden.pointer, rows: rows, into: wide.pointer, ldy: configuration.intermediateSize, scratch: dense)
        let activation = configuration.activation
        let code = layer.output.roundsInputs ? activation.coarseKernelCode : activation.kernelCode
        eachRowsOf(rows) { rows in
            let width = configuration.intermediateSize
            kernels.pointee.bias_activation(
                wide.pointer + rows.lowerBound * width, vectors.intermediateBias.pointer, Int64(rows.count),
                Int64(width),
                code, nil)
        }
        layer.output.multiply(wide.pointer, rows: rows, into: projected.pointer, ldy: width, scratch: dense)
        kernels.pointee.residual_layer_norm(
            hidden.pointer, projected.pointer, vectors.outputBias.pointer, hidden.pointer,
            vectors.outputNormGain.pointer, vectors.outputNormShift.pointer, Int64(rows), Int64(width),
            configuration.layerNormEpsilon, nil, nil, nil)
    }

    /// Calls `body` with all rows, in parts on the threads of the pass if there are several.
    private func eachRowsOf(_ rows: Int, _ body: (Range<Int>) -> Void) {
        guard let pass else { return body(0..<rows) }
        let size = 4
        pass.perform((rows + size - 1) / size) { body($0 * size..<min(($0 + 1) * size, rows)) }
    }

    /// hidden (T, D) → hidden (L, D): each line's mean.
    private func average(_ tokens: TokenBatch, lines: Range<Int>) {
        let width = configuration.hiddenSize
        let base = Int(tokens.offsets[lines.lowerBound])
        for (row, line) in lines.enumerated() {
            let mean = projected.pointer + row * width
            mean.update(repeating: 0, count: width)
            let length = tokens.length(line)
            kernels.pointee.add_column_sums(
                mean, hidden.pointer + (Int(tokens.offsets[line]) - base) * width, Int64(length), Int64(width))
            for column in 0..<width { mean[column] /= Float(max(length, 1)) }
        }
        hidden.pointer.update(from: projected.pointer, count: lines.count * width)
    }

    /// logits (L, labels) from hidden, (L, D) or (T, D) depending on the pooling, through the pooler if there is one.
    private func classify(_ tokens: TokenBatch, lines: Range<Int>, into logits: UnsafeMutablePointer<Float>) {
        if configuration.pooling == .mean { average(tokens, lines: lines) }
        let count = lines.count
        let width = configuration.hiddenSize
        let labels = configuration.labels.count
        var features = hidden.pointer
        if configuration.pooling == .cls {
            MatrixProduct.multiply(
                transposeB: true, m: count, n: width, k: width, features, lda: width, weights.f32.pooler.pointer,
                ldb: width,
                into: projected.pointer, ldc: width)
            features = projected.pointer
            kernels.pointee.bias_activation(
                features, weights.f32.poolerBias.pointer, Int64(count), Int64(width), Int32(BERT_TANH.rawValue), nil)
        }
        MatrixProduct.multiply(
            transposeB: true, m: count, n: labels, k: width, features, lda: width, weights.f32.classifier.pointer,
            ldb: width, into: logits, ldc: labels)
        kernels.pointee.bias(logits, weights.f32.classifierBias.pointer, Int64(count), Int64(labels))
    }

    private func attentionShape(length: Int) -> bert_attention_shape {
        return bert_attention_shape(
            length: Int64(length), heads: Int64(configuration.heads), width: Int64(configuration.headWidth),
            qkv_stride: Int64(3 * configuration.hiddenSize), scale: 1 / Float(configuration.headWidth).squareRoot())
    }
}
