import ArgumentParser
import Diagnostics
import Models
import Text

/// A student's forward pass from ids to logits on one core, without its n-gram shortcut.
struct StudentBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "student", abstract: "A student's forward pass.")

    @Option(help: "The student's directory.") var model: String
    @Option(help: "A file of ids.") var ids: String
    @Option(help: "f32, bf16 or i8.") var precision = "i8"
    @Flag(help: "One line at a time instead of all at once.") var single = false

    func run() throws {
        let precision = RecurrencePrecision(rawValue: precision) ?? .i8
        let student = try StudentFiles.load(directory: model, precision: precision)
        let tokens = try Benchmark.tokens(path: ids)
        let labels = student.labels.count
        let scorer = student.makeStudentScorer()
        func batch(_ lines: some Sequence<Int>) -> StudentBatch {
            var batch = StudentBatch()
            batch.tokens = Benchmark.batch(tokens, lines)
            for _ in 0..<batch.tokens.count { batch.buckets.append { _ in } }
            return batch
        }
        var logits = [Float](repeating: 0, count: tokens.count * labels)
        let all = batch(0..<tokens.count)
        // Tokens' rows are made when they are met first; a warm program has them.
        logits.withUnsafeMutableBufferPointer { scorer.score(all, into: $0) }
        if single {
            let lines = (0..<tokens.count).map { batch([$0]) }
            var times = [Double]()
            times.reserveCapacity(lines.count)
            for (index, line) in lines.enumerated() {
                logits.withUnsafeMutableBufferPointer { all in
                    let part = UnsafeMutableBufferPointer(rebasing: all[index * labels..<(index + 1) * labels])
                    times.append(Benchmark.time { scorer.score(line, into: part) })
                }
            }
            times.sort()
            try Benchmark.printJSON([
                "p50": times[times.count / 2], "p99": times[times.count * 99 / 100],
                "answers": Benchmark.answers(logits, labels: labels),
            ])
        } else {
            let seconds = logits.withUnsafeMutableBufferPointer { out in
                Benchmark.time { scorer.score(all, into: out) }
            }
            try Benchmark.printJSON([
                "seconds": seconds, "tokens": tokens.ids.count, "answers": Benchmark.answers(logits, labels: labels),
                "hidden_size": student.configuration.hiddenSize,
            ])
        }
    }
}
