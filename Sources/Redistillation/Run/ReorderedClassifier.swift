import Diagnostics
import Models

/// A classifier whose logits come in another order of the same labels: a teacher in its student's order.
struct ReorderedClassifier: LineClassifier {
    let labels: [String]
    private let inner: any LineClassifier
    /// Column `order[i]` of the inner classifier is column `i` here.
    private let order: [Int]

    /// Errors: `configuration` where the labels aren't the same.
    init(_ inner: any LineClassifier, labels: [String]) throws(UnderstudyError) {
        var order: [Int] = []
        for label in labels {
            guard let column = inner.labels.firstIndex(of: label) else {
                throw Self.mismatch(inner, labels)
            }
            order.append(column)
        }
        guard inner.labels.count == labels.count else { throw Self.mismatch(inner, labels) }
        self.inner = inner
        self.labels = labels
        self.order = order
    }

    var version: String { inner.version }

    func makeScorer() -> any LineScorer { Scorer(inner.makeScorer(), order) }

    private static func mismatch(_ inner: any LineClassifier, _ labels: [String]) -> UnderstudyError {
        func list(_ names: [String]) -> String { names.prefix(20).map(PrintableText.escaped).joined(separator: ", ") }
        return UnderstudyError(
            .configuration,
            "student and teacher have different labels: \(list(labels)) and \(list(inner.labels)); name a pair that "
                + "belongs together")
    }

    private final class Scorer: LineScorer {
        private let inner: any LineScorer
        private let order: [Int]
        private var row: [Float]

        init(_ inner: any LineScorer, _ order: [Int]) {
            self.inner = inner
            self.order = order
            row = Array(repeating: 0, count: order.count)
        }

        func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>) {
            inner.score(batch, into: logits)
            let width = order.count
            for first in stride(from: 0, to: batch.count * width, by: width) {
                for column in 0..<width { row[column] = logits[first + column] }
                for (column, old) in order.enumerated() { logits[first + column] = row[old] }
            }
        }
    }
}
