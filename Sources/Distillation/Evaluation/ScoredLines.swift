/// What scoring a whole data set gave: the logits, and how long it took.
public struct ScoredLines: Sendable, Equatable {
    /// Row-major (n, labelCount), in the data set's order.
    public let logits: [Float]
    public let labelCount: Int
    /// Threads that scored the whole set.
    public let threads: Int
    /// The pass over the whole set in length-sorted batches.
    public let duration: Duration
    /// Times of lines that were scored one by one on one thread, rising.
    public let latencies: [Duration]

    public init(logits: [Float], labelCount: Int, threads: Int, duration: Duration, latencies: [Duration]) {
        self.logits = logits
        self.labelCount = labelCount
        self.threads = threads
        self.duration = duration
        self.latencies = latencies.sorted()
    }

    public var count: Int { logits.count / max(labelCount, 1) }

    /// Lines a second over the whole pass; 0 where no time passed.
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

    /// The same with the columns in another order: column `i` of the result is column `order[i]` of this.
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
