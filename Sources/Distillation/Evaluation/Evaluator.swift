import Diagnostics
import Dispatch
import Models
import Synchronization
import Tensors

/// Scores whole data sets with a classifier at full speed, and measures the time.
public struct Evaluator: Sendable {
    /// Lines per batch; lines of similar length are batched together, so that a batch has little or no padding.
    public var batchLines = 32
    /// Threads that score batches, each with its own scorer.
    public var threads = 1
    /// Lines scored one by one to measure the latency, spread evenly over the set.
    public var latencyLines = 500

    public init() {}

    /// The logits of every line in the set's order.
    ///
    /// - Throws: `invalidData` if the model gives a logit that isn't a finite number; the error of a model that fails.
    public func logits(
        of data: DataSet, by classifier: any LineClassifier, progress: ProgressMeter = .silent
    ) throws(UnderstudyError) -> [Float] {
        let labelCount = classifier.labels.count
        let order = data.lines.offsets.indices.dropLast().sorted {
            (data.byteLength($0), $0) < (data.byteLength($1), $1)
        }
        var logits = [Float](repeating: 0, count: data.count * labelCount)
        let batches = (data.count + batchLines - 1) / batchLines
        let next = Atomic(0)
        let failure = Mutex<UnderstudyError?>(nil)
        logits.withUnsafeMutableBufferPointer { buffer in
            // Safe: every batch is claimed by one thread, and no two batches share a row.
            nonisolated(unsafe) let all = buffer
            DispatchQueue.concurrentPerform(iterations: max(1, min(threads, batches))) { _ in
                // The work is already parallel; products with more threads would only slow it down.
                MatrixProduct.setThreads(1)
                let scorer = classifier.makeScorer()
                var batch = LineBatch()
                let scores = UnsafeMutableBufferPointer<Float>.allocate(capacity: batchLines * labelCount)
                defer { scores.deallocate() }
                while true {
                    let claimed = next.add(1, ordering: .relaxed).oldValue
                    guard claimed < batches else { return }
                    let members = order[claimed * batchLines..<min((claimed + 1) * batchLines, order.count)]
                    data.gather(members, into: &batch)
                    do throws(UnderstudyError) {
                        try scorer.score(batch, into: scores, deadline: nil)
                    } catch {
                        failure.withLock { $0 = $0 ?? error }
                        next.store(batches, ordering: .relaxed)
                        return
                    }
                    for (row, line) in members.enumerated() {
                        for label in 0..<labelCount {
                            all[line * labelCount + label] = scores[row * labelCount + label]
                        }
                    }
                    progress.advance(by: members.count)
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        if let bad = logits.firstIndex(where: { !$0.isFinite }) {
            throw UnderstudyError(
                .invalidData,
                "the model \(classifier.version) gives a logit that isn't a finite number for row "
                    + "\(bad / labelCount + 1) of the data; its weights are damaged")
        }
        return logits
    }

    /// Logits and timings: the whole set in batches, then a sample of lines one by one.
    ///
    /// The first batch is scored once before the measurement, so that one-time initialisation isn't timed. `stage` is
    /// the name of the timed pass in progress reports.
    public func score<C: Clock>(
        _ data: DataSet, by classifier: any LineClassifier, clock: C, stage: String = "scoring",
        progress: ProgressMeter = .silent
    ) throws(UnderstudyError) -> ScoredLines where C.Duration == Duration {
        _ = try logits(of: data.rows(Array(0..<min(data.count, batchLines))), by: classifier)
        progress.begin(stage, total: data.count)
        let start = clock.now
        let logits = try logits(of: data, by: classifier, progress: progress)
        let duration = start.duration(to: clock.now)
        progress.end()
        return ScoredLines(
            logits: logits, labelCount: classifier.labels.count, threads: threads, duration: duration,
            latencies: try latencies(of: data, by: classifier, clock: clock))
    }

    private func latencies<C: Clock>(
        of data: DataSet, by classifier: any LineClassifier, clock: C
    ) throws(UnderstudyError) -> [Duration] where C.Duration == Duration {
        let sample = min(latencyLines, data.count)
        guard sample > 0 else { return [] }
        MatrixProduct.setThreads(1)
        let scorer = classifier.makeScorer()
        var batch = LineBatch()
        var scores = [Float](repeating: 0, count: classifier.labels.count)
        return try scores.withUnsafeMutableBufferPointer { (scores) throws(UnderstudyError) in
            try (0..<sample).map { (step) throws(UnderstudyError) in
                data.gather(CollectionOfOne(step * data.count / sample), into: &batch)
                let start = clock.now
                try scorer.score(batch, into: scores, deadline: nil)
                return start.duration(to: clock.now)
            }
        }
    }
}
