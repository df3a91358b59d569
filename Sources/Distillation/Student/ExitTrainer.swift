import Glibc
import Models
import Tensors
import Text

/// Distils the early exit's linear classifier over hashed n-grams separately, with AdaGrad (Duchi et al. 2011, figure
/// 1, diagonal), since a table of which a line uses few rows needs a learning rate per row.
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
    /// The initial sums of squares, so that a first step with a small gradient is small.
    static let floor: Float = 0.01

    private let loss: DistillationLoss
    private let seed: UInt64

    public init(loss: DistillationLoss, seed: UInt64) {
        self.loss = loss
        self.seed = seed
    }

    /// The weights trained on `targets` with the lines' n-grams, starting from `start` or from zeros.
    ///
    /// The result is deterministic for the same lines, seed and start, since it uses one thread. nil if `shouldStop`
    /// stops it: partly trained weights aren't measured.
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
            // The rate decreases to a quarter over the epochs.
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

/// Determines on validation lines the minimum confidence at which the early exit's answer may replace the biLSTM's.
public struct ExitThreshold: Sendable, Equatable {
    public var exit: EarlyExit
    /// Share of the validation lines that exit.
    public var share: Double
    /// Logits (n, C) of the student with this exit.
    public var logits: [Float]

    /// Maximum loss of correct answers by exiting, as a share of all lines.
    static let answerTolerance = 0.001
    /// Maximum increase of the mean negative log-likelihood (nats) by exiting: with a less informative confidence the
    /// wrong lines are deferred, even if the answers are as good.
    static let likelihoodTolerance = 0.01

    /// The lowest threshold from 0.5 up at which exiting is within both tolerances; nil if there is none, or no line
    /// would exit.
    ///
    /// - Parameters:
    ///   - exit, student: logits (n, C) of the two.
    ///   - labels: (n), −1 if unknown: such lines are ignored.
    public static func fit(
        exit: [Float], student: [Float], labels: [Int32], labelCount: Int
    ) -> ExitThreshold? {
        let known = labels.indices.filter { labels[$0] >= 0 }
        guard !known.isEmpty else { return nil }
        func rows(_ values: [Float]) -> [Float] {
            known.flatMap { values[$0 * labelCount..<($0 + 1) * labelCount] }
        }
        let truth = known.map { labels[$0] }
        let exitRows = rows(exit)
        let studentRows = rows(student)
        let own = TemperatureScaling.fit(logits: exitRows, labelCount: labelCount, labels: truth).temperature
        let other = TemperatureScaling.fit(logits: studentRows, labelCount: labelCount, labels: truth).temperature
        let sure = Predictions(logits: exitRows, labelCount: labelCount, temperature: own)
        let right = sure.correct(truth)
        let plain = Predictions(logits: studentRows, labelCount: labelCount, temperature: other)
        let studentRight = plain.correct(truth)
        let exitTrue = trueProbabilities(sure, truth)
        let studentTrue = trueProbabilities(plain, truth)
        let scale = other / own
        for percent in stride(from: 50, through: 98, by: 2) {
            let threshold = Float(percent) / 100
            let exiting = known.indices.filter { sure.confidences[$0] >= threshold }
            let loss = exiting.reduce(0) { $0 + (studentRight[$1] ? 1 : 0) - (right[$1] ? 1 : 0) }
            guard !exiting.isEmpty, Double(loss) <= answerTolerance * Double(known.count) else { continue }
            let doubt = exiting.reduce(0.0) {
                $0 + Double(log(studentTrue[$1])) - Double(log(exitTrue[$1]))
            }
            guard doubt <= likelihoodTolerance * Double(known.count) else { continue }
            var logits = student
            for place in exiting {
                let row = known[place] * labelCount
                for label in 0..<labelCount { logits[row + label] = scale * exit[row + label] }
            }
            return ExitThreshold(
                exit: EarlyExit(threshold: threshold, scale: scale),
                share: Double(exiting.count) / Double(known.count), logits: logits)
        }
        return nil
    }

    /// The probability of each line's true label, kept above zero.
    private static func trueProbabilities(_ predictions: Predictions, _ truth: [Int32]) -> [Float] {
        truth.enumerated().map { line, label in
            max(predictions.probabilities[line * predictions.labelCount + Int(label)], 1e-6)
        }
    }
}
