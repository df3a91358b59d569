import Diagnostics

/// Precision, recall and F1 of every label with their averages, with the same digits as scikit-learn's
/// `classification_report`.
public struct ClassificationReport: Sendable, Equatable {
    /// One row of the report. A ratio with denominator 0 is 0, as in scikit-learn's default.
    public struct Scores: Sendable, Equatable {
        public let precision: Double
        public let recall: Double
        public let f1: Double
        /// Lines whose true label this is (for averages: all lines).
        public let support: Int
    }

    public let labels: [String]
    /// (labels)
    public let perLabel: [Scores]
    /// The share of lines whose predicted label is the true one; 0 for no lines.
    public let accuracy: Double
    /// The plain mean over labels, absent ones included.
    public let macroAverage: Scores
    /// The mean over labels weighted by support.
    public let weightedAverage: Scores

    public init(_ confusion: ConfusionMatrix) {
        let scores = confusion.labels.indices.map { label -> Scores in
            let hits = confusion[label, label]
            let said = confusion.predictedCount(label)
            let support = confusion.support(label)
            return Scores(
                precision: said == 0 ? 0 : Double(hits) / Double(said),
                recall: support == 0 ? 0 : Double(hits) / Double(support),
                f1: said + support == 0 ? 0 : 2 * Double(hits) / Double(said + support), support: support)
        }
        let total = confusion.total
        labels = confusion.labels
        perLabel = scores
        accuracy = total == 0 ? 0 : Double(confusion.correct) / Double(total)
        macroAverage = Self.average(scores, total: total) { _ in 1 }
        weightedAverage = Self.average(scores, total: total) { Double($0.support) }
    }

    private static func average(_ scores: [Scores], total: Int, weight: (Scores) -> Double) -> Scores {
        let weights = scores.reduce(0) { $0 + weight($1) }
        func mean(_ value: (Scores) -> Double) -> Double {
            weights == 0 ? 0 : scores.reduce(0) { $0 + weight($1) * value($1) } / weights
        }
        return Scores(precision: mean(\.precision), recall: mean(\.recall), f1: mean(\.f1), support: total)
    }

    /// The table as scikit-learn prints it, with a final newline.
    public func text(digits: Int = 2) -> String {
        let lastRow = "weighted avg"
        let names = labels.map(PrintableText.escaped)
        // scikit-learn counts code points.
        let width = max(names.map(\.unicodeScalars.count).max() ?? 0, lastRow.count, digits)
        func padded(_ text: String, _ columns: Int) -> String {
            String(repeating: " ", count: max(0, columns - text.unicodeScalars.count)) + text
        }
        func row(_ name: String, _ cells: [String]) -> String {
            padded(name, width) + " " + cells.map { " " + padded($0, 9) }.joined() + "\n"
        }
        func row(_ name: String, _ scores: Scores) -> String {
            let ratios = [scores.precision, scores.recall, scores.f1].map { NumberText.fixed($0, digits: digits) }
            return row(name, ratios + [String(scores.support)])
        }
        var text = row("", ["precision", "recall", "f1-score", "support"]) + "\n"
        for (name, scores) in zip(names, perLabel) { text += row(name, scores) }
        text += "\n"
        text += row(
            "accuracy", ["", "", NumberText.fixed(accuracy, digits: digits), String(macroAverage.support)])
        text += row("macro avg", macroAverage)
        text += row(lastRow, weightedAverage)
        return text
    }
}

/// The number of lines for each true label (row) and predicted label (column).
public struct ConfusionMatrix: Sendable, Equatable {
    /// Names in the order of rows and columns.
    public let labels: [String]
    /// Row-major (labels, labels).
    public private(set) var counts: [Int]

    /// `truth` and `predicted` are indices into `labels`, one pair per line.
    public init(labels: [String], truth: [Int32], predicted: [Int32]) {
        precondition(truth.count == predicted.count, "\(truth.count) labels for \(predicted.count) predictions")
        self.labels = labels
        counts = Array(repeating: 0, count: labels.count * labels.count)
        for (actual, said) in zip(truth, predicted) { counts[Int(actual) * labels.count + Int(said)] += 1 }
    }

    /// Lines of label `actual` that were predicted as `predicted`.
    public subscript(actual: Int, predicted: Int) -> Int { counts[actual * labels.count + predicted] }

    /// The total number of lines.
    public var total: Int { counts.reduce(0, +) }
    /// Lines on the diagonal.
    public var correct: Int { labels.indices.reduce(0) { $0 + self[$1, $1] } }
    /// Lines whose true label is `label`.
    public func support(_ label: Int) -> Int { labels.indices.reduce(0) { $0 + self[label, $1] } }
    /// Lines that were predicted as `label`.
    public func predictedCount(_ label: Int) -> Int { labels.indices.reduce(0) { $0 + self[$1, label] } }
}
