import Glibc

/// A model's results for n lines: logits, and the values derived from them at one temperature.
public struct Predictions: Sendable {
    /// Row-major (n, labelCount).
    public let logits: [Float]
    public let labelCount: Int
    public let temperature: Float
    /// (n), the label with the largest logit; the first one in a tie, as in NumPy's argmax.
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

    /// (n), whether each predicted label equals that in `truth`.
    public func correct(_ truth: [Int32]) -> [Bool] {
        precondition(truth.count == count, "\(truth.count) labels for \(count) predictions")
        return (0..<count).map { indices[$0] == truth[$0] }
    }

    /// Mean negative log-likelihood of the true labels (nats), computed from the logits, so that it stays finite if a
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

/// The result of scoring a whole data set: the logits, and the times.
public struct ScoredLines: Sendable, Equatable {
    /// Row-major (n, labelCount), in the data set's order.
    public let logits: [Float]
    public let labelCount: Int
    /// Threads that scored the whole set.
    public let threads: Int
    /// The duration of the pass over the whole set in length-sorted batches.
    public let duration: Duration
    /// Times of lines scored one by one on one thread, ascending.
    public let latencies: [Duration]

    public init(logits: [Float], labelCount: Int, threads: Int, duration: Duration, latencies: [Duration]) {
        self.logits = logits
        self.labelCount = labelCount
        self.threads = threads
        self.duration = duration
        self.latencies = latencies.sorted()
    }

    public var count: Int { logits.count / max(labelCount, 1) }

    /// Lines per second over the whole pass; 0 if the duration is 0.
    public var linesPerSecond: Double {
        let seconds = duration / .seconds(1)
        return seconds > 0 ? Double(count) / seconds : 0
    }

    /// The smallest latency that `share` of the sampled lines don't exceed (nearest rank); nil without a sample.
    public func latency(percentile share: Double) -> Duration? {
        guard !latencies.isEmpty else { return nil }
        let rank = Int((share * Double(latencies.count)).rounded(.up))
        return latencies[min(max(rank, 1), latencies.count) - 1]
    }

    /// The same with reordered columns: column `i` of the result is column `order[i]` of this.
    func columns(_ order: [Int]) -> ScoredLines {
        guard order != Array(0..<labelCount) else { return self }
        var permuted = [Float](repeating: 0, count: logits.count)
        for row in stride(from: 0, to: logits.count, by: labelCount) {
            for (new, old) in order.enumerated() { permuted[row + new] = logits[row + old] }
        }
        return ScoredLines(
            logits: permuted, labelCount: labelCount, threads: threads, duration: duration, latencies: latencies)
    }
}
