import Models
import Tensors
import Text

/// The hidden states of a set's lines after the frozen blocks, computed once and read in every epoch.
struct TeacherStates: Sendable {
    /// The number of blocks that the states have passed; 0 means the normalised embeddings.
    let layers: Int
    private let width: Int
    private let offsets: [Int32]
    private let states: AlignedBuffer<Float>

    /// The states of every line of `tokens`. `progress` is called with the number of finished lines; nil if
    /// `isCancelled` returns true.
    init?(
        _ tokens: TokenBatch, configuration: TeacherConfiguration, weights: TeacherWeights, layers: Int, threads: Int,
        precision: TeacherPrecision, isCancelled: () -> Bool, progress: (Int) -> Void
    ) {
        self.layers = layers
        let width = configuration.hiddenSize
        self.width = width
        offsets = tokens.offsets
        let states = AlignedBuffer<Float>(zeros: tokens.ids.count * width)
        self.states = states
        let encoders = TeacherEncoder.frozen(threads, configuration, weights, precision: precision)
        // One chunk per thread at a time, so that progress and cancellation are handled in between.
        var rest = tokens.chunks()[...]
        while !rest.isEmpty {
            if isCancelled() { return nil }
            let chunks = Array(rest.prefix(threads))
            rest = rest.dropFirst(threads)
            Parallel.run(chunks.count) { worker in
                let lines = chunks[worker]
                encoders[worker].states(
                    tokens, lines: lines, after: layers,
                    into: states.pointer + Int(tokens.offsets[lines.lowerBound]) * width)
            }
            progress(chunks[chunks.count - 1].upperBound)
        }
    }

    /// The states of one line, (its tokens, hidden).
    func line(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(states.pointer + Int(offsets[index]) * width) }
}

/// Accuracy and mean cross-entropy of the present weights on validation lines, without dropout.
final class TeacherValidator {
    private let configuration: TeacherConfiguration
    private let encoders: [TeacherEncoder]

    init(_ configuration: TeacherConfiguration, weights: TeacherWeights, threads: Int) {
        self.configuration = configuration
        encoders = (0..<threads).map { _ in TeacherEncoder(configuration, weights) }
    }

    func measure(_ set: TeacherTrainingSet, states: TeacherStates?) -> (accuracy: Double, loss: Double) {
        var logits = logits(set, states: states)
        let outcome = logits.withUnsafeMutableBufferPointer { logits -> (loss: Double, correct: Int) in
            guard let first = logits.baseAddress else { return (0, 0) }
            return TeacherLoss.softmaxCrossEntropy(
                first, targets: set.labels, labels: configuration.labels.count, smoothing: 0, scale: 1)
        }
        return (Double(outcome.correct) / Double(set.count), outcome.loss / Double(set.count))
    }

    /// Logits (set.count, labels), from the states if they are stored, otherwise from the tokens.
    func logits(_ set: TeacherTrainingSet, states: TeacherStates?) -> [Float] {
        let labels = configuration.labels.count
        let logits = AlignedBuffer<Float>(zeros: set.count * labels)
        let chunks = set.tokens.chunks()
        let workers = encoders.count
        Parallel.run(workers) { worker in
            for index in stride(from: worker, to: chunks.count, by: workers) {
                let lines = chunks[index]
                let out = logits.pointer + lines.lowerBound * labels
                if let states {
                    encoders[worker].logits(
                        from: states.line(lines.lowerBound), after: states.layers, set.tokens, lines: lines, into: out)
                } else {
                    encoders[worker].logits(set.tokens, lines: lines, into: out)
                }
            }
        }
        return logits.array
    }
}

extension TokenBatch {
    /// Runs of whole lines with about 1024 tokens, enough for the matrix products to run at full speed.
    fileprivate func chunks() -> [Range<Int>] {
        var chunks: [Range<Int>] = []
        var next = 0
        while next < count {
            let first = next
            while next < count, offsets[next] - offsets[first] < 1024 { next += 1 }
            chunks.append(first..<next)
        }
        return chunks
    }
}
