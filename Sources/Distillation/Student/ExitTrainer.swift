import Glibc
import Models
import Tensors
import Text

/// Distils the early exit's linear classifier over hashed n-grams, by itself, with AdaGrad (Duchi et al. 2011, figure 1,
/// diagonal): a table of which a line touches few rows wants a rate for each row.
public struct ExitTrainer {
    /// The classifier: (buckets, C) and (1, C).
    public struct Weights {
        public let table: Matrix
        public let bias: Matrix

        public init(table: Matrix, bias: Matrix) {
            self.table = table
            self.bias = bias
        }
    }

    // Chosen on validation lines: 0.05 … 0.8 and 2 … 6 epochs gave a log-likelihood of 0.70 … 0.60 nats.
    static let rate: Float = 0.4
    static let epochs = 4
    /// What the sums of squares begin with, so that a first step is small where a gradient is.
    static let floor: Float = 0.01

    private let loss: DistillationLoss
    private let seed: UInt64

    public init(loss: DistillationLoss, seed: UInt64) {
        self.loss = loss
        self.seed = seed
    }

    /// Weights that have learnt `targets` from the lines' n-grams, beginning with `start` or with zeros.
    ///
    /// The result is the same for the same lines, seed and start; one thread does it all. When `shouldStop` ends it, there
    /// is nothing: half-taught weights aren't measured.
    public func train(
        _ corpus: EncodedCorpus, _ targets: TrainingTargets, buckets: Int, labels: Int, start: Weights? = nil,
        shouldStop: () -> Bool = { false }
    ) -> TrainingOutcome<Weights> {
        let weights = Weights(
            table: Matrix(rows: buckets, columns: labels), bias: Matrix(rows: 1, columns: labels))
        if let start, start.table.rows == buckets, start.table.columns == labels {
            weights.table.pointer.update(from: start.table.pointer, count: weights.table.count)
            weights.bias.pointer.update(from: start.bias.pointer, count: labels)
        }
        // Sums of squared gradients.
        let squares = Weights(
            table: Matrix(rows: buckets, columns: labels), bias: Matrix(rows: 1, columns: labels))
        let (logits, gradient) = (Matrix(rows: 1, columns: labels), Matrix(rows: 1, columns: labels))
        var generator = SeededGenerator(seed: seed, stream: 77)
        var order = Array(0..<corpus.count)
        for epoch in 0..<Self.epochs {
            generator.shuffle(&order)
            // The rate falls to a quarter over the epochs.
            let rate = Self.rate * (1 - 0.75 * Float(epoch) / Float(max(Self.epochs - 1, 1)))
            for (step, line) in order.enumerated() {
                if step % 4096 == 0, shouldStop() { return .stoppedEarly }
                learn(corpus, line, targets, weights, squares, logits, gradient, rate)
            }
        }
        return .learnt(weights)
    }

    private func learn(
        _ corpus: EncodedCorpus, _ line: Int, _ targets: TrainingTargets, _ weights: Weights, _ squares: Weights,
        _ logits: Matrix, _ gradient: Matrix, _ rate: Float
    ) {
        let teacher = targets.teacher(line)
        if teacher == nil, targets.labels[line] < 0 { return }
        let labels = weights.table.columns
        Self.logits(corpus, line, weights, into: logits.pointer)
        _ = loss.evaluate(
            logits: logits.pointer, classes: labels, label: targets.labels[line], teacher: teacher,
            gradient: gradient.pointer)
        let range = Self.range(corpus, line)
        let scale = range.isEmpty ? 0 : 1 / Float(range.count).squareRoot()
        func step(_ weight: UnsafeMutablePointer<Float>, _ square: UnsafeMutablePointer<Float>, _ factor: Float) {
            for label in 0..<labels {
                let g = factor * gradient.pointer[label]
                square[label] += g * g
                weight[label] -= rate * g / (square[label] + Self.floor).squareRoot()
            }
        }
        for index in range {
            let row = Int(corpus.lines.buckets.ids[index])
            step(weights.table.row(row), squares.table.row(row), scale)
        }
        step(weights.bias.pointer, squares.bias.pointer, 1)
    }

    /// The logits (corpus.count, C) of all lines.
    public static func logits(_ corpus: EncodedCorpus, _ weights: Weights) -> [Float] {
        let labels = weights.table.columns
        var all = [Float](repeating: 0, count: corpus.count * labels)
        all.withUnsafeMutableBufferPointer { all in
            guard let base = all.baseAddress else { return }
            for line in 0..<corpus.count { logits(corpus, line, weights, into: base + line * labels) }
        }
        return all
    }

    private static func logits(
        _ corpus: EncodedCorpus, _ line: Int, _ weights: Weights, into out: UnsafeMutablePointer<Float>
    ) {
        let labels = weights.table.columns
        out.update(from: weights.bias.pointer, count: labels)
        let range = range(corpus, line)
        let scale = range.isEmpty ? 0 : 1 / Float(range.count).squareRoot()
        for index in range {
            let row = weights.table.row(Int(corpus.lines.buckets.ids[index]))
            for label in 0..<labels { out[label] += scale * row[label] }
        }
    }

    private static func range(_ corpus: EncodedCorpus, _ line: Int) -> Range<Int> {
        Int(corpus.lines.buckets.offsets[line])..<Int(corpus.lines.buckets.offsets[line + 1])
    }
}
