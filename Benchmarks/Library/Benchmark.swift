import ArgumentParser
import Diagnostics
import Foundation
import Text

/// Times parts of the program as library calls; the scripts beside it compare what it prints with others.
///
/// Not installed. Every subcommand prints one JSON object.
@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark", abstract: "Times library calls; see Benchmarks/README.md.",
        subcommands: [StudentBenchmark.self, TeacherBenchmark.self, RecurrenceBenchmark.self])

    /// Seconds on a clock that doesn't run backwards.
    static func time(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        let parts = (ContinuousClock.now - start).components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }

    /// Lines as ids, one line of text each, ids apart by blanks.
    static func tokens(path: String) throws -> TokenBatch {
        var batch = TokenBatch()
        for line in try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        where !line.isEmpty {
            batch.append(ids: line.split(separator: " ").compactMap { Int32($0) })
        }
        return batch
    }

    /// Positions of the lines, shortest first.
    static func order(_ tokens: TokenBatch) -> [Int] {
        (0..<tokens.count).sorted { (tokens.length($0), $0) < (tokens.length($1), $1) }
    }

    /// The position of each row's largest logit.
    static func answers(_ logits: [Float], labels: Int) -> [Int] {
        stride(from: 0, to: logits.count, by: labels).map { start in
            (0..<labels).max { logits[start + $0] < logits[start + $1] } ?? 0
        }
    }

    /// The lines `lines` of `tokens` as a batch of their own.
    static func batch(_ tokens: TokenBatch, _ lines: some Sequence<Int>) -> TokenBatch {
        var batch = TokenBatch()
        for line in lines { batch.append(ids: tokens.ids[Int(tokens.offsets[line])..<Int(tokens.offsets[line + 1])]) }
        return batch
    }

    static func printJSON(_ values: [String: Any]) throws {
        print(
            String(decoding: try JSONSerialization.data(withJSONObject: values, options: [.sortedKeys]), as: UTF8.self))
    }
}
