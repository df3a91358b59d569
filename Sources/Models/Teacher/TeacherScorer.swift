import Dispatch
import Tensors
import Text

/// Scores batches with a teacher: tokenises, cuts the batch into chunks of whole lines, and runs the encoder on each.
public final class TeacherScorer: LineScorer {
    /// Tokens per chunk: enough rows for the matrix products to run at full speed, few enough for the intermediate
    /// results to stay in the cache.
    static let chunkTokens = 1024

    private let teacher: Teacher
    private let encoders: [TeacherEncoder]
    private let scratch = TokenizerScratch()
    private let pass = SharedPass()
    private var tokens = TokenBatch()
    private var chunks: [Range<Int>] = []

    init(_ teacher: Teacher, threads: Int) {
        self.teacher = teacher
        encoders = (0..<max(threads, 1)).map { _ in
            TeacherEncoder(teacher.configuration, teacher.weights)
        }
    }

    public func score(
        _ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64? = nil
    ) {
        tokens.removeAll()
        let limit = teacher.configuration.maximumLength
        batch.forEachLine { _, line in
            tokens.append(line, maximumLength: limit, with: teacher.tokenizer, scratch: scratch)
        }
        score(tokens, into: logits)
    }

    /// Logits (tokens.count, labels) of lines that are already tokenised.
    public func score(_ tokens: TokenBatch, into logits: UnsafeMutableBufferPointer<Float>) {
        precondition(logits.count >= tokens.count * teacher.labels.count, "no room for the logits")
        guard tokens.count > 0, let out = logits.baseAddress else { return }
        cut(tokens)
        let labels = teacher.labels.count
        let workers = min(encoders.count, chunks.count)
        let chunks = chunks
        if workers == 1 {
            let encoder = encoders[0]
            func encode() {
                MatrixProduct.setThreads(1)
                for lines in chunks { encoder.logits(tokens, lines: lines, into: out + lines.lowerBound * labels) }
            }
            guard encoders.count > 1, teacher.precision == .i8 else { return encode() }
            encoder.pass = pass
            defer { encoder.pass = nil }
            pass.run(threads: encoders.count, encode)
            return
        }
        // Each worker has its own encoder, and the logits of different chunks don't overlap.
        nonisolated(unsafe) let encoders = encoders
        nonisolated(unsafe) let destination = out
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            MatrixProduct.setThreads(1)
            for index in stride(from: worker, to: chunks.count, by: workers) {
                let lines = chunks[index]
                encoders[worker].logits(tokens, lines: lines, into: destination + lines.lowerBound * labels)
            }
        }
    }

    /// Cuts the batch into runs of lines of at most about `chunkTokens`, so that each worker gets some.
    private func cut(_ tokens: TokenBatch) {
        chunks.removeAll(keepingCapacity: true)
        let share = (tokens.ids.count + encoders.count - 1) / encoders.count
        let target = min(Self.chunkTokens, max(share, 1))
        var first = 0
        for line in 0..<tokens.count
        where Int(tokens.offsets[line + 1] - tokens.offsets[first]) >= target || line == tokens.count - 1 {
            chunks.append(first..<line + 1)
            first = line + 1
        }
    }
}
