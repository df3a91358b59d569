import Diagnostics
import Dispatch
import Models
import Synchronization
import Tensors

/// Scores whole data sets with a classifier, as fast as the classifier goes, and times it.
public struct Evaluator: Sendable {
    /// Lines in a batch; lines of about the same length go together, so that a batch holds little padding, if any.
    public var batchLines = 32
    /// Threads that score batches, each with a scorer of its own.
    public var threads = 1
    /// Lines that are scored one by one for the latency, spread evenly over the set.
    public var latencyLines = 500

    public init() {}

    /// Logits of every line in the set's order.
    ///
    /// - Throws: `invalidData` where the model gives a logit that isn't a finite number.
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
        logits.withUnsafeMutableBufferPointer { buffer in
            // Sound: every batch is claimed by one thread, and no two batches share a row.
            nonisolated(unsafe) let all = buffer
            DispatchQueue.concurrentPerform(iterations: max(1, min(threads, batches))) { _ in
                // The threads are the parallelism; a product that spawned more would only get in their way.
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
                    scorer.score(batch, into: scores)
                    for (row, line) in members.enumerated() {
                        for label in 0..<labelCount {
                            all[line * labelCount + label] = scores[row * labelCount + label]
                        }
                    }
                    progress.advance(by: members.count)
                }
            }
        }
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
    /// The first batch is scored once before the clock starts: code that is compiled on first use isn't timed.
    /// `stage` is what progress calls the timed pass.
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
            latencies: latencies(of: data, by: classifier, clock: clock))
    }

    private func latencies<C: Clock>(
        of data: DataSet, by classifier: any LineClassifier, clock: C
    ) -> [Duration] where C.Duration == Duration {
        let sample = min(latencyLines, data.count)
        guard sample > 0 else { return [] }
        MatrixProduct.setThreads(1)
        let scorer = classifier.makeScorer()
        var batch = LineBatch()
        var scores = [Float](repeating: 0, count: classifier.labels.count)
        return scores.withUnsafeMutableBufferPointer { scores in
            (0..<sample).map { step in
                data.gather(CollectionOfOne(step * data.count / sample), into: &batch)
                let start = clock.now
                scorer.score(batch, into: scores)
                return start.duration(to: clock.now)
            }
        }
    }
}
