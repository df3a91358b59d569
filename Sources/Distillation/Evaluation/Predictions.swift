import Glibc

/// What a model says about n lines: logits, and what follows from them at one temperature.
public struct Predictions: Sendable {
    /// Row-major (n, labelCount).
    public let logits: [Float]
    public let labelCount: Int
    public let temperature: Float
    /// (n), the label with the largest logit; of equal ones the first, as NumPy's argmax.
    public let indices: [Int32]
    /// Row-major (n, labelCount): softmax of logits / temperature.
    public let probabilities: [Float]
    /// (n), the largest probability of each line.
    public let confidences: [Float]

    public var count: Int { indices.count }

    /// `logits` are finite, row-major (n, labelCount); `temperature` is positive.
    public init(logits: [Float], labelCount: Int, temperature: Float = 1) {
        precondition(labelCount > 0 && logits.count % labelCount == 0, "\(logits.count) logits of \(labelCount) labels")
        precondition(temperature > 0, "a temperature must be positive")
        self.logits = logits
        self.labelCount = labelCount
        self.temperature = temperature
        let count = logits.count / labelCount
        var indices = [Int32](repeating: 0, count: count)
        var confidences = [Float](repeating: 0, count: count)
        var probabilities = [Float](repeating: 0, count: logits.count)
        for line in 0..<count {
            let row = line * labelCount
            var best = 0
            for label in 1..<labelCount where logits[row + label] > logits[row + best] { best = label }
            let peak = Double(logits[row + best])
            var sum = 0.0
            for label in 0..<labelCount { sum += exp((Double(logits[row + label]) - peak) / Double(temperature)) }
            for label in 0..<labelCount {
                probabilities[row + label] = Float(
                    exp((Double(logits[row + label]) - peak) / Double(temperature)) / sum)
            }
            indices[line] = Int32(best)
            confidences[line] = Float(1 / sum)
        }
        self.indices = indices
        self.confidences = confidences
        self.probabilities = probabilities
    }

    /// The same predictions at another temperature.
    public func at(temperature: Float) -> Predictions {
        Predictions(logits: logits, labelCount: labelCount, temperature: temperature)
    }

    /// (n), whether each predicted label is `truth`'s.
    public func correct(_ truth: [Int32]) -> [Bool] {
        precondition(truth.count == count, "\(truth.count) labels for \(count) predictions")
        return (0..<count).map { indices[$0] == truth[$0] }
    }

    /// Mean negative log-likelihood of the true labels (nats), from the logits, so that it stays finite where a
    /// probability rounds to 0. 0 for no lines.
    public func negativeLogLikelihood(_ truth: [Int32]) -> Double {
        precondition(truth.count == count, "\(truth.count) labels for \(count) predictions")
        var total = 0.0
        for line in 0..<count {
            let row = line * labelCount
            let peak = Double(logits[row + Int(indices[line])])
            var sum = 0.0
            for label in 0..<labelCount { sum += exp((Double(logits[row + label]) - peak) / Double(temperature)) }
            total += log(sum) - (Double(logits[row + Int(truth[line])]) - peak) / Double(temperature)
        }
        return count == 0 ? 0 : total / Double(count)
    }

    /// Mean over lines of the squared distance between the probabilities and the true label's indicator, summed over
    /// labels (Brier 1950): 0 is perfect, 2 the worst. 0 for no lines.
    public func brierScore(_ truth: [Int32]) -> Double {
        precondition(truth.count == count, "\(truth.count) labels for \(count) predictions")
        var total = 0.0
        for line in 0..<count {
            for label in 0..<labelCount {
                let target = Int32(label) == truth[line] ? 1.0 : 0.0
                let error = Double(probabilities[line * labelCount + label]) - target
                total += error * error
            }
        }
        return count == 0 ? 0 : total / Double(count)
    }
}
