import CKernels
import Models
import Tensors
import Text

/// One thread's part of a training step: forward, loss and backward over some lines, chunk by chunk.
final class TeacherPass {
    /// Tokens per chunk; bounds the working memory of long lines.
    static let chunkTokens = 2048

    /// Sums over the lines of the step, in the shape of the trained part of the model.
    let gradients: TeacherWeights
    private(set) var loss = 0.0
    private(set) var correct = 0

    private let configuration: TeacherConfiguration
    private let options: TeacherTrainingOptions
    private let firstLayer: Int
    private let kernels = bert_kernels_best()
    private let embeddings: TeacherEmbeddingPass
    private let layers: [TeacherLayerPass]
    private let head: TeacherHeadPass
    private let input = Scratch()  // (T, D)
    private let features = Scratch()  // (L, D)
    private let gradient = Scratch()  // (T, D)
    private let otherGradient = Scratch()  // (T, D)
    private var span = TeacherSpan()
    private var ids: [Int32] = []

    init(_ configuration: TeacherConfiguration, options: TeacherTrainingOptions) {
        self.configuration = configuration
        self.options = options
        firstLayer = configuration.layers - options.layers
        gradients = TeacherWeights(zeros: Self.learningPart(of: configuration, options: options))
        let shared = TeacherPassScratch()
        embeddings = TeacherEmbeddingPass(configuration)
        layers = (firstLayer..<configuration.layers).map {
            TeacherLayerPass(configuration, index: $0, shared: shared)
        }
        head = TeacherHeadPass(configuration)
    }

    /// A configuration with the sizes of the trained part, for gradients.
    private static func learningPart(
        of configuration: TeacherConfiguration, options: TeacherTrainingOptions
    ) -> TeacherConfiguration {
        var part = configuration
        part.layers = options.layers
        if !options.trainsEmbeddings {
            part.vocabularySize = 0
            part.maximumLength = 0
            part.typeVocabularySize = 0
        }
        return part
    }

    /// The trained tensors, in one order for weights and gradients: embeddings if they are trained, blocks, head.
    static func tensors(_ weights: TeacherWeights, layers: Range<Int>, embeddings: Bool) -> [TeacherTensor] {
        weights.tensors.filter { tensor in
            switch tensor.form.matrix.part {
            case .embeddings: embeddings
            case .block(let number): layers.contains(number)
            case .pooler, .classifier: true
            }
        }
    }

    /// The gradients in that order.
    var gradientTensors: [TeacherTensor] {
        Self.tensors(gradients, layers: 0..<options.layers, embeddings: options.trainsEmbeddings)
    }

    /// Sets the gradients to those of (the sum of the lines' losses) · `scale`, and `loss` and `correct` to their sums.
    func run(
        _ lines: ArraySlice<Int>, of set: TeacherTrainingSet, states: TeacherStates?, weights: TeacherWeights,
        dropout: TeacherDropout, scale: Float
    ) {
        for tensor in gradientTensors { tensor.pointer.update(repeating: 0, count: tensor.count) }
        loss = 0
        correct = 0
        var rest = lines
        var dropout = dropout
        while !rest.isEmpty {
            var chunk: [Int] = []
            span.removeAll()
            while let line = rest.first,
                chunk.isEmpty || span.tokens + set.tokens.length(line) <= Self.chunkTokens
            {
                chunk.append(line)
                span.append(set.tokens.length(line))
                rest.removeFirst()
            }
            run(chunk, of: set, states: states, weights: weights, dropout: dropout, scale: scale)
            dropout.key = dropout.key &* 0x9e37_79b9_7f4a_7c15 &+ 1
        }
    }

    private func run(
        _ chunk: [Int], of set: TeacherTrainingSet, states: TeacherStates?, weights: TeacherWeights,
        dropout: TeacherDropout, scale: Float
    ) {
        let width = configuration.hiddenSize
        let labels = configuration.labels.count
        var hidden = UnsafePointer(firstStates(chunk, of: set, states: states, weights: weights, dropout: dropout))
        for (offset, layer) in layers.enumerated() {
            hidden = UnsafePointer(
                layer.forward(hidden, span: span, weights: weights.layers[firstLayer + offset], dropout: dropout))
        }
        pool(hidden)
        let logits = head.forward(features.pointer, lines: chunk.count, weights: weights, dropout: dropout)
        let result = TeacherLoss.softmaxCrossEntropy(
            logits, targets: chunk.map { set.labels[$0] }, labels: labels, smoothing: options.labelSmoothing,
            scale: scale)
        loss += result.loss
        correct += result.correct

        let featureGradient = head.backward(logits, weights: weights, gradients: gradients, dropout: dropout)
        guard !layers.isEmpty || options.trainsEmbeddings else { return }
        var current = gradient.floats(span.tokens * width)
        var next = otherGradient.floats(span.tokens * width)
        unpool(featureGradient, into: current)
        for (offset, layer) in layers.enumerated().reversed() {
            let goesOn = offset > 0 || options.trainsEmbeddings
            layer.backward(
                current, weights: weights.layers[firstLayer + offset], gradients: gradients.layers[offset],
                dropout: dropout, inputGradient: goesOn ? next : nil)
            swap(&current, &next)
        }
        if options.trainsEmbeddings {
            embeddings.backward(
                current, ids: ids, span: span, weights: weights, gradients: gradients, dropout: dropout)
        }
    }

    /// The input of the first trained block, (T, D): the stored states, or the trained embeddings.
    private func firstStates(
        _ chunk: [Int], of set: TeacherTrainingSet, states: TeacherStates?, weights: TeacherWeights,
        dropout: TeacherDropout
    ) -> UnsafeMutablePointer<Float> {
        let width = configuration.hiddenSize
        guard let states else {
            ids.removeAll(keepingCapacity: true)
            for line in chunk {
                ids.append(
                    contentsOf: set.tokens.ids[Int(set.tokens.offsets[line])..<Int(set.tokens.offsets[line + 1])])
            }
            return embeddings.forward(ids, span: span, weights: weights, dropout: dropout)
        }
        let out = input.floats(span.tokens * width)
        for (row, line) in chunk.enumerated() {
            (out + span.offsets[row] * width).update(from: states.line(line), count: span.length(row) * width)
        }
        if states.layers == 0 {
            var mask = dropout.mask(.embeddings)
            kernels.pointee.dropout(out, out, Int64(span.tokens * width), &mask)
        }
        return out
    }

    /// True if the last block's output has a row per line instead of per token.
    private var rowsAreLines: Bool { layers.last?.firstTokensOnly ?? false }

    /// features (L, D) from the last block's output.
    private func pool(_ hidden: UnsafePointer<Float>) {
        let width = configuration.hiddenSize
        let features = features.floats(span.lines * width)
        if rowsAreLines {
            features.update(from: hidden, count: span.lines * width)
            return
        }
        features.update(repeating: 0, count: span.lines * width)
        for line in 0..<span.lines where span.length(line) > 0 {
            let row = features + line * width
            let source = hidden + span.offsets[line] * width
            guard configuration.pooling == .mean else {
                row.update(from: source, count: width)
                continue
            }
            kernels.pointee.add_column_sums(row, source, Int64(span.length(line)), Int64(width))
            for column in 0..<width { row[column] /= Float(span.length(line)) }
        }
    }

    /// The gradient of the last block's output from that of features.
    private func unpool(_ gradient: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
        let width = configuration.hiddenSize
        if rowsAreLines {
            out.update(from: gradient, count: span.lines * width)
            return
        }
        out.update(repeating: 0, count: span.tokens * width)
        for line in 0..<span.lines {
            let row = gradient + line * width
            let length = span.length(line)
            if configuration.pooling == .cls {
                if length > 0 { (out + span.offsets[line] * width).update(from: row, count: width) }
                continue
            }
            for token in span.offsets[line]..<span.offsets[line + 1] {
                for column in 0..<width { out[token * width + column] = row[column] / Float(length) }
            }
        }
    }
}

/// Some lines of a batch stored end to end; the training passes need only their lengths.
struct TeacherSpan {
    /// `lines + 1` offsets in tokens; the first is 0.
    var offsets: [Int] = [0]

    var lines: Int { offsets.count - 1 }
    var tokens: Int { offsets[offsets.count - 1] }
    var longest: Int { (0..<lines).reduce(0) { max($0, length($1)) } }

    func length(_ line: Int) -> Int { offsets[line + 1] - offsets[line] }

    mutating func append(_ length: Int) { offsets.append(tokens + length) }

    mutating func removeAll() { offsets = [0] }
}

/// Working memory that is shared by the blocks of one thread's pass.
final class TeacherPassScratch {
    let branch = Scratch()  // (R, D)
    let attention = Scratch()
    let wideGradient = Scratch()  // (R, F)
    let contextGradient = Scratch()  // (R, D)
    let queryGradient = Scratch()  // (lines, D)
    let queryKeyValueGradient = Scratch()  // (T, 3·D)
}
