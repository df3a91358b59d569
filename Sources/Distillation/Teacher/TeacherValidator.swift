import Dispatch
import Models
import Tensors
import Text

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
        var chunks: [Range<Int>] = []
        var next = 0
        while next < set.count {
            let first = next
            while next < set.count, set.tokens.offsets[next] - set.tokens.offsets[first] < 1024 { next += 1 }
            chunks.append(first..<next)
        }
        let planned = chunks
        let workers = encoders.count
        nonisolated(unsafe) let encoders = encoders
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            MatrixProduct.setThreads(1)
            for index in stride(from: worker, to: planned.count, by: workers) {
                let lines = planned[index]
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
