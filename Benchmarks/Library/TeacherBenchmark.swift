import ArgumentParser
import Diagnostics
import Models
import Text

/// A teacher's forward pass from ids to logits, in batches of lines of similar length or one at a time.
struct TeacherBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "teacher", abstract: "A teacher's forward pass.")

    @Option(help: "The teacher's directory.") var model: String
    @Option(help: "A file of ids.") var ids: String
    @Option(help: "f32, bf16 or i8.") var precision = "i8"
    @Option(help: "Lines of a batch.") var batch = 32
    @Option(help: "Threads.") var threads = 1

    func run() throws {
        let tokenizer = try TokenizerFiles.load(directory: model)
        let teacher = try Teacher.load(
            directory: model, tokenizer: tokenizer.tokenizer, precision: TeacherPrecision(rawValue: precision) ?? .i8)
        let tokens = try Benchmark.tokens(path: ids)
        let labels = teacher.labels.count
        let scorer = teacher.makeScorer(threads: threads)
        let order = Benchmark.order(tokens)
        let batches = stride(from: 0, to: order.count, by: batch).map {
            Benchmark.batch(tokens, order[$0..<min($0 + batch, order.count)])
        }
        var logits = [Float](repeating: 0, count: tokens.count * labels)
        func run(_ from: Int, _ batch: TokenBatch) {
            logits.withUnsafeMutableBufferPointer { all in
                let part = UnsafeMutableBufferPointer(rebasing: all[from * labels..<(from + batch.count) * labels])
                scorer.score(batch, into: part)
            }
        }
        run(0, batches[0])
        var times = [Double]()
        for (number, batch) in batches.enumerated() {
            times.append(Benchmark.time { run(number * self.batch, batch) })
        }
        // Back into the order of the file.
        var answers = [Int](repeating: 0, count: tokens.count)
        for (place, answer) in zip(order, Benchmark.answers(logits, labels: labels)) { answers[place] = answer }
        let sorted = times.sorted()
        try Benchmark.printJSON([
            "seconds": times.reduce(0, +), "p50": sorted[sorted.count / 2], "answers": answers,
        ])
    }
}
