import CKernels
import Tensors
import Text

/// The readable f32 path of a student over one batch: logits, and the gradients of every tensor.
///
/// Used for training and as the reference for tests of the fast path. One thread uses a pass at a time.
public final class StudentPass {
    /// Shares of values that training sets to zero (Srivastava et al. 2014; the rest is scaled up).
    public struct Dropout: Sendable, Equatable {
        /// Of the embedding's dimensions, the same for all tokens of a line (Gal & Ghahramani 2016).
        public var embedding: Float
        public var pooled: Float
        /// Of the dense layer's units.
        public var dense: Float
        /// Share of a line's n-grams that the shortcut doesn't get.
        public var shortcut: Float

        public init(embedding: Float = 0, pooled: Float = 0, dense: Float = 0, shortcut: Float = 0) {
            self.embedding = embedding
            self.pooled = pooled
            self.dense = dense
            self.shortcut = shortcut
        }
    }

    public let configuration: StudentConfiguration
    private var plan = PackedSequences()
    private let passes = [LSTMPass(), LSTMPass()]
    private let poolings = [PoolingPass(), PoolingPass()]
    private let inputScratch = [Scratch(), Scratch()]
    private let pooledScratch = Scratch(), denseScratch = Scratch(), logitsScratch = Scratch()
    private let pooledGradientScratch = Scratch(), denseGradientScratch = Scratch()
    private let hiddenGradientScratch = [Scratch(), Scratch()]
    private let embeddingMaskScratch = Scratch(), pooledMaskScratch = Scratch()
    private let denseMaskScratch = Scratch(), shortcutMaskScratch = Scratch()
    private var dropout: Dropout?
    private var inputGradients: [UnsafeMutablePointer<Float>] = []

    public init(_ configuration: StudentConfiguration) {
        self.configuration = configuration
    }

    private var units: Int { configuration.hiddenSize }
    private var width: Int { configuration.embeddingSize }
    private var labels: Int { configuration.labels.count }
    private var pooledSize: Int { configuration.pooledSize }

    /// Logits (batch.count, C), valid until the next call. With `dropout`, masks are drawn from `generator`.
    public func forward(
        _ weights: StudentWeights, _ batch: StudentBatch, dropout: Dropout? = nil,
        generator: inout SeededGenerator
    ) -> UnsafeMutablePointer<Float> {
        let lines = batch.count
        self.dropout = dropout
        planSteps(batch)
        embed(weights, batch, dropout: dropout?.embedding ?? 0, generator: &generator)
        let pooled = pooledScratch.zeros(lines * pooledSize)
        for direction in 0...1 {
            let tensors = direction == 0 ? weights.forward : weights.backward
            passes[direction].forward(tensors, inputs: inputScratch[direction].floats(0), plan: plan)
            poolings[direction].forward(
                configuration.pooling, direction: direction, hidden: passes[direction].hidden, units: units,
                plan: plan, pooled: pooled)
        }
        if let rate = dropout?.pooled, rate > 0 {
            let mask = pooledMaskScratch.floats(lines * pooledSize)
            Self.drawMask(mask, count: lines * pooledSize, rate: rate, generator: &generator)
            for index in 0..<(lines * pooledSize) { pooled[index] *= mask[index] }
        }
        return head(weights, batch, pooled: pooled, generator: &generator)
    }

    /// Without dropout, as at inference.
    public func forward(_ weights: StudentWeights, _ batch: StudentBatch) -> UnsafeMutablePointer<Float> {
        var unused = SeededGenerator(seed: 0)
        return forward(weights, batch, dropout: nil, generator: &unused)
    }

    private func planSteps(_ batch: StudentBatch) {
        switch configuration.input {
        case .tokens: plan.plan(offsets: batch.tokens.offsets)
        case .sentenceVector: plan.plan(offsets: (0...batch.count).map(Int32.init))
        }
    }

    /// Gathers the input rows of both directions, (T, E) each.
    private func embed(
        _ weights: StudentWeights, _ batch: StudentBatch, dropout rate: Float, generator: inout SeededGenerator
    ) {
        let mask = embeddingMaskScratch.floats(rate > 0 ? batch.count * width : 0)
        if rate > 0 { Self.drawMask(mask, count: batch.count * width, rate: rate, generator: &generator) }
        let embedding = weights.embedding
        for direction in 0...1 {
            let inputs = inputScratch[direction].floats(plan.rows * width)
            forEachRow(direction) { row, source, line in
                let out = inputs + row * width
                switch configuration.input {
                case .tokens: out.update(from: embedding.row(Int(batch.tokens.ids[source])), count: width)
                case .sentenceVector: mean(weights, batch, line: line, into: out)
                }
                guard rate > 0 else { return }
                for index in 0..<width { out[index] *= mask[line * width + index] }
            }
        }
    }

    /// Calls `body` with every packed row, its token, and that token's line.
    private func forEachRow(_ direction: Int, _ body: (_ row: Int, _ source: Int, _ line: Int) -> Void) {
        let sources = direction == 0 ? plan.forwardTokens : plan.backwardTokens
        let order = plan.order
        for step in 0..<plan.steps {
            let start = plan.start(step)
            for rank in 0..<plan.active(step) {
                body(start + rank, Int(sources[start + rank]), Int(order[rank]))
            }
        }
    }

    /// The mean of a line's token vectors; zeros for a line without tokens.
    private func mean(
        _ weights: StudentWeights, _ batch: StudentBatch, line: Int, into out: UnsafeMutablePointer<Float>
    ) {
        out.update(repeating: 0, count: width)
        let first = Int(batch.tokens.offsets[line])
        let length = batch.tokens.length(line)
        for token in first..<(first + length) {
            us_add_scaled(Int64(width), out, weights.embedding.row(Int(batch.tokens.ids[token])), 1 / Float(length))
        }
    }

    /// Dense layer with ReLU, classifier, shortcut.
    private func head(
        _ weights: StudentWeights, _ batch: StudentBatch, pooled: UnsafeMutablePointer<Float>,
        generator: inout SeededGenerator
    ) -> UnsafeMutablePointer<Float> {
        let lines = batch.count
        let size = configuration.denseSize
        let dense = denseScratch.floats(lines * size)
        for line in 0..<lines { (dense + line * size).update(from: weights.denseBias.pointer, count: size) }
        MatrixProduct.multiply(
            transposeB: true, m: lines, n: size, k: pooledSize, pooled, lda: pooledSize, weights.dense.pointer,
            ldb: pooledSize, beta: 1, into: dense, ldc: size)
        for index in 0..<(lines * size) { dense[index] = Swift.max(dense[index], 0) }
        if let rate = dropout?.dense, rate > 0 {
            let mask = denseMaskScratch.floats(lines * size)
            Self.drawMask(mask, count: lines * size, rate: rate, generator: &generator)
            for index in 0..<(lines * size) { dense[index] *= mask[index] }
        }
        let logits = logitsScratch.floats(lines * labels)
        for line in 0..<lines { (logits + line * labels).update(from: weights.classifierBias.pointer, count: labels) }
        MatrixProduct.multiply(
            transposeB: true, m: lines, n: labels, k: size, dense, lda: size, weights.classifier.pointer, ldb: size,
            beta: 1, into: logits, ldc: labels)
        guard configuration.shortcutBuckets > 0 else { return logits }
        let rate = dropout?.shortcut ?? 0
        let mask = shortcutMaskScratch.floats(rate > 0 ? batch.buckets.ids.count : 0)
        if rate > 0 { Self.drawMask(mask, count: batch.buckets.ids.count, rate: rate, generator: &generator) }
        let shortcut = weights.shortcut
        for line in 0..<lines {
            let range = Int(batch.buckets.offsets[line])..<Int(batch.buckets.offsets[line + 1])
            let scale = NGramTable.scale(range.count)
            let out = logits + line * labels
            for index in range {
                let row = shortcut.pointer + Int(batch.buckets.ids[index]) * labels
                let factor = rate > 0 ? scale * mask[index] : scale
                for label in 0..<labels { out[label] += factor * row[label] }
            }
        }
        return logits
    }

    /// Adds the gradients of all dense tensors to `gradients`; `scatter` adds those of the two tables.
    ///
    /// `logitsGradient` is (batch.count, C): the loss's gradient with respect to the logits of the last `forward`.
    public func backward(
        _ weights: StudentWeights, _ batch: StudentBatch, logitsGradient: UnsafePointer<Float>,
        into gradients: StudentWeights
    ) {
        let lines = batch.count
        let size = configuration.denseSize
        let dense = denseScratch.floats(0)
        let pooled = pooledScratch.floats(0)
        MatrixProduct.multiply(
            transposeA: true, m: labels, n: size, k: lines, logitsGradient, lda: labels, dense, ldb: size, beta: 1,
            into: gradients.classifier.pointer, ldc: size)
        let denseGradient = denseGradientScratch.floats(lines * size)
        MatrixProduct.multiply(
            m: lines, n: size, k: labels, logitsGradient, lda: labels, weights.classifier.pointer, ldb: size,
            into: denseGradient, ldc: size)
        // A unit zeroed by dropout is like one zeroed by ReLU: neither passes a gradient.
        for index in 0..<(lines * size) where dense[index] <= 0 { denseGradient[index] = 0 }
        if let rate = dropout?.dense, rate > 0 {
            let mask = denseMaskScratch.floats(0)
            for index in 0..<(lines * size) { denseGradient[index] *= mask[index] }
        }
        for line in 0..<lines {
            us_add_scaled(Int64(labels), gradients.classifierBias.pointer, logitsGradient + line * labels, 1)
            us_add_scaled(Int64(size), gradients.denseBias.pointer, denseGradient + line * size, 1)
        }
        MatrixProduct.multiply(
            transposeA: true, m: size, n: pooledSize, k: lines, denseGradient, lda: size, pooled, ldb: pooledSize,
            beta: 1, into: gradients.dense.pointer, ldc: pooledSize)
        let pooledGradient = pooledGradientScratch.floats(lines * pooledSize)
        MatrixProduct.multiply(
            m: lines, n: pooledSize, k: size, denseGradient, lda: size, weights.dense.pointer, ldb: pooledSize,
            into: pooledGradient, ldc: pooledSize)
        if let rate = dropout?.pooled, rate > 0 {
            let mask = pooledMaskScratch.floats(0)
            for index in 0..<(lines * pooledSize) { pooledGradient[index] *= mask[index] }
        }
        inputGradients.removeAll(keepingCapacity: true)
        for direction in 0...1 {
            let hiddenGradient = hiddenGradientScratch[direction].zeros(plan.rows * units)
            poolings[direction].backward(
                configuration.pooling, direction: direction, units: units, plan: plan, pooledGradient: pooledGradient,
                hiddenGradient: hiddenGradient)
            inputGradients.append(
                passes[direction].backward(
                    direction == 0 ? weights.forward : weights.backward, inputs: inputScratch[direction].floats(0),
                    plan: plan, hiddenGradient: hiddenGradient,
                    into: direction == 0 ? gradients.forward : gradients.backward))
        }
    }

    /// Adds the gradients of the embedding's columns `columns` and, with `shortcut`, of the shortcut.
    ///
    /// `logitsGradient` is the argument of `backward`. Threads may scatter into the same `gradients` at once if their
    /// columns are disjoint.
    public func scatter(
        _ batch: StudentBatch, columns: Range<Int>, shortcut: Bool, logitsGradient: UnsafePointer<Float>,
        into gradients: StudentWeights
    ) {
        let rate = dropout?.embedding ?? 0
        let mask = embeddingMaskScratch.floats(0)
        for direction in 0...1 {
            let inputGradient = inputGradients[direction]
            forEachRow(direction) { row, source, line in
                let gradient = inputGradient + row * width
                if rate > 0 { for index in columns { gradient[index] *= mask[line * width + index] } }
                switch configuration.input {
                case .tokens: add(gradient, columns, token: source, 1, batch, gradients)
                case .sentenceVector:
                    let first = Int(batch.tokens.offsets[line])
                    let length = batch.tokens.length(line)
                    for token in first..<(first + length) {
                        add(gradient, columns, token: token, 1 / Float(length), batch, gradients)
                    }
                }
            }
        }
        if shortcut, configuration.shortcutBuckets > 0 { scatterShortcut(batch, logitsGradient, into: gradients) }
    }

    private func add(
        _ gradient: UnsafePointer<Float>, _ columns: Range<Int>, token: Int, _ scale: Float, _ batch: StudentBatch,
        _ gradients: StudentWeights
    ) {
        let out = gradients.embedding.row(Int(batch.tokens.ids[token])) + columns.lowerBound
        us_add_scaled(Int64(columns.count), out, gradient + columns.lowerBound, scale)
    }

    private func scatterShortcut(
        _ batch: StudentBatch, _ logitsGradient: UnsafePointer<Float>, into gradients: StudentWeights
    ) {
        let rate = dropout?.shortcut ?? 0
        let mask = shortcutMaskScratch.floats(0)
        let shortcut = gradients.shortcut
        for line in 0..<batch.count {
            let range = Int(batch.buckets.offsets[line])..<Int(batch.buckets.offsets[line + 1])
            let scale = NGramTable.scale(range.count)
            let gradient = logitsGradient + line * labels
            for index in range {
                let row = shortcut.pointer + Int(batch.buckets.ids[index]) * labels
                let factor = rate > 0 ? scale * mask[index] : scale
                for label in 0..<labels { row[label] += factor * gradient[label] }
            }
        }
    }

    /// 0 with probability `rate`, 1/(1 − rate) otherwise.
    private static func drawMask(
        _ mask: UnsafeMutablePointer<Float>, count: Int, rate: Float, generator: inout SeededGenerator
    ) {
        let keep = 1 / (1 - rate)
        let threshold = UInt32(rate * 65536)
        var index = 0
        while index < count {
            // One draw of 64 bits is used for four values.
            var bits = generator.next()
            for _ in 0..<Swift.min(4, count - index) {
                mask[index] = UInt32(truncatingIfNeeded: bits & 0xFFFF) < threshold ? 0 : keep
                bits >>= 16
                index += 1
            }
        }
    }
}
