import CKernels
import Diagnostics
import Models
import Tensors
import Text

/// Trains a student's weights on encoded lines with labels, teacher logits or both.
///
/// A step splits its batch over shards: each runs forward and backward on its own thread into its own gradients of the
/// dense tensors; the two tables' gradients are then scattered by columns, so that no two threads write the same value.
/// The same seed, data and number of threads give the same weights.
public final class StudentTrainer {
    /// The result of training: at least one epoch was finished and, if there are validation lines, measured.
    public struct Outcome {
        /// Of the best epoch by validation accuracy, or the last one without validation lines.
        public let weights: StudentWeights
        /// From 1.
        public let bestEpoch: Int
        public let validationAccuracies: [Double]
        public let losses: [Double]
        /// Over the labelled lines, during training; nil for an epoch without any.
        public let trainAccuracies: [Double?]
        public internal(set) var wasInterrupted: Bool
    }

    private let configuration: StudentConfiguration
    private let options: StudentTrainingOptions
    private let weights: StudentWeights
    private let gradients: StudentWeights
    private let optimizer: StudentOptimizer
    private let shards: [TrainingShard]
    private var embeddingRows: TouchedRows
    private var shortcutRows: TouchedRows

    /// Trains `weights` in place.
    public init(_ configuration: StudentConfiguration, weights: StudentWeights, options: StudentTrainingOptions) {
        self.configuration = configuration
        self.options = options
        self.weights = weights
        gradients = StudentWeights(zeros: configuration)
        let threads = max(1, options.threads)
        optimizer = StudentOptimizer(options.optimizer, weights: weights, configuration: configuration)
        shards = (0..<threads).map { TrainingShard(configuration, seed: options.seed, number: $0) }
        embeddingRows = TouchedRows(tableRows: configuration.vocabularySize)
        shortcutRows = TouchedRows(tableRows: configuration.shortcutBuckets)
    }

    /// Runs all epochs, or fewer if `shouldStop` returns true between two steps; then the best finished epoch is
    /// returned, or nothing if there is none.
    ///
    /// - Throws: `invalidData` if the loss is no longer a number.
    public func train(
        _ corpus: EncodedCorpus, _ targets: TrainingTargets, validation: (corpus: EncodedCorpus, labels: [Int32])?,
        shouldStop: () -> Bool = { false }, progress: (TrainingProgress) -> Void = { _ in }
    ) throws(UnderstudyError) -> TrainingOutcome<Outcome> {
        precondition(corpus.count == targets.labels.count)
        var generator = SeededGenerator(seed: options.seed, stream: 1)
        let best = StudentWeights(zeros: configuration)
        var bestAccuracy = -1.0
        var bestEpoch = 0
        var accuracies: [Double] = []
        var losses: [Double] = []
        var trainAccuracies: [Double?] = []
        let steps = (corpus.count + options.batch - 1) / options.batch * options.epochs
        var step = 0
        var wasInterrupted = false
        var order = Array(0..<corpus.count)
        epochs: for epoch in 1...max(options.epochs, 1) {
            if options.order == .shuffled { generator.shuffle(&order) }
            var report = TrainingProgress(
                epoch: epoch, epochs: options.epochs, lines: 0, totalLines: corpus.count, loss: 0)
            var sums = (loss: 0.0, correct: 0, labelled: 0)
            for start in stride(from: 0, to: order.count, by: options.batch) {
                if shouldStop() {
                    wasInterrupted = true
                    break epochs
                }
                let lines = Array(order[start..<min(start + options.batch, order.count)])
                self.step(lines, corpus, targets, rate: options.optimizer.rate(step: step, of: steps))
                step += 1
                for shard in shards {
                    sums.loss += shard.loss
                    sums.correct += shard.correct
                    sums.labelled += shard.labelled
                }
                report.lines = min(start + options.batch, order.count)
                report.loss = sums.loss / Double(report.lines)
                report.accuracy = sums.labelled > 0 ? Double(sums.correct) / Double(sums.labelled) : nil
                guard report.loss.isFinite else {
                    throw UnderstudyError(
                        .invalidData,
                        "training diverged in epoch \(epoch): the loss is \(report.loss); lower the learning rate")
                }
                if !report.isEndOfEpoch { progress(report) }
            }
            losses.append(report.loss)
            trainAccuracies.append(report.accuracy)
            optimizer.prepareAll()
            if let validation {
                let accuracy = self.accuracy(validation.corpus, validation.labels)
                accuracies.append(accuracy)
                report.validationAccuracy = accuracy
                if accuracy > bestAccuracy {
                    bestAccuracy = accuracy
                    bestEpoch = epoch
                    best.copyValues(from: weights)
                }
            } else {
                bestEpoch = epoch
                best.copyValues(from: weights)
            }
            progress(report)
        }
        guard bestEpoch > 0 else { return .stoppedEarly }
        return .learnt(
            Outcome(
                weights: best, bestEpoch: bestEpoch, validationAccuracies: accuracies, losses: losses,
                trainAccuracies: trainAccuracies, wasInterrupted: wasInterrupted))
    }

    private func step(_ lines: [Int], _ corpus: EncodedCorpus, _ targets: TrainingTargets, rate: Float) {
        // Every n-th line goes to the n-th shard, so that shards get lines of all lengths.
        let count = shards.count
        let parts = (0..<count).map { part in stride(from: part, to: lines.count, by: count).map { lines[$0] } }
        embeddingRows.begin()
        shortcutRows.begin()
        for (shard, part) in zip(shards, parts) {
            shard.gather(
                part, from: corpus, tokenDropout: options.tokenDropout, unknown: options.unknownToken)
            embeddingRows.insert(shard.batch.tokens.ids)
            shortcutRows.insert(shard.batch.buckets.ids)
        }
        optimizer.prepare(embeddingRows: embeddingRows.rows, shortcutRows: shortcutRows.rows)
        Parallel.run(shards.count) { part in
            shards[part].run(
                weights, lines: parts[part], targets: targets, loss: options.loss, dropout: options.dropout)
        }
        let width = configuration.embeddingSize
        Parallel.run(shards.count) { part in
            for shard in shards {
                shard.scatter(
                    columns: (width * part / count)..<(width * (part + 1) / count), shortcut: part == 0,
                    into: gradients)
            }
            reduce(part: part)
        }
        optimizer.update(
            gradients, scale: 1 / Float(lines.count), rate: rate, embeddingRows: embeddingRows.rows,
            shortcutRows: shortcutRows.rows)
    }

    /// Adds one part of every dense tensor's gradient, over all shards in their order, and clears it there.
    private func reduce(part: Int) {
        for tensor in StudentTensor.denseTensors {
            let total = gradients[tensor]
            let first = total.count * part / shards.count
            let end = total.count * (part + 1) / shards.count
            for shard in shards {
                let own = shard.gradients[tensor].pointer + first
                us_add_scaled(Int64(end - first), total.pointer + first, own, 1)
                own.update(repeating: 0, count: end - first)
            }
        }
    }

    /// Share of lines whose largest logit is their label; lines without a label are ignored.
    public func accuracy(_ corpus: EncodedCorpus, _ labels: [Int32]) -> Double {
        let logits = self.logits(corpus)
        let classes = configuration.labels.count
        var correct = 0
        var labelled = 0
        withExtendedLifetime(logits) {
            for (line, label) in labels.enumerated() where label >= 0 {
                labelled += 1
                if TrainingShard.argmax(logits.row(line), classes) == Int(label) { correct += 1 }
            }
        }
        return labelled > 0 ? Double(correct) / Double(labelled) : 0
    }

    /// Logits of all lines, (corpus.count, C), by the reference path.
    public func logits(_ corpus: EncodedCorpus) -> Matrix {
        let classes = configuration.labels.count
        let result = Matrix(rows: corpus.count, columns: classes)
        let chunk = 64
        let chunks = (corpus.count + chunk - 1) / chunk
        Parallel.run(shards.count) { part in
            var batch = StudentBatch()
            for index in stride(from: part, to: chunks, by: shards.count) {
                let lines = (index * chunk)..<min((index + 1) * chunk, corpus.count)
                batch.removeAll()
                corpus.gather(lines, into: &batch)
                result.row(lines.lowerBound).update(
                    from: shards[part].pass.forward(weights, batch), count: lines.count * classes)
            }
        }
        return result
    }
}

/// One thread's part of every training batch: its lines, its pass and its gradients of the dense tensors.
final class TrainingShard {
    let pass: StudentPass
    let gradients: StudentWeights
    private(set) var batch = StudentBatch()
    private(set) var loss = 0.0
    private(set) var correct = 0
    private(set) var labelled = 0
    private var logitsGradient: [Float] = []
    private var generator: SeededGenerator

    init(_ configuration: StudentConfiguration, seed: UInt64, number: Int) {
        pass = StudentPass(configuration)
        // The tables' gradients are shared.
        gradients = StudentWeights(zeros: configuration, tables: false)
        generator = SeededGenerator(seed: seed, stream: UInt64(1000 + number))
    }

    /// Gathers this shard's lines; a share `tokenDropout` of their tokens becomes `unknown`.
    func gather(_ lines: [Int], from corpus: EncodedCorpus, tokenDropout: Float, unknown: Int32) {
        batch.removeAll()
        corpus.gather(lines, into: &batch)
        guard tokenDropout > 0 else { return }
        for index in batch.tokens.ids.indices where generator.chance(tokenDropout) { batch.tokens.ids[index] = unknown }
    }

    /// Forward, loss and backward over the gathered lines.
    func run(
        _ weights: StudentWeights, lines: [Int], targets: TrainingTargets, loss: DistillationLoss,
        dropout: StudentPass.Dropout
    ) {
        self.loss = 0
        correct = 0
        labelled = 0
        let classes = pass.configuration.labels.count
        let logits = pass.forward(weights, batch, dropout: dropout, generator: &generator)
        logitsGradient.removeAll(keepingCapacity: true)
        logitsGradient.append(contentsOf: repeatElement(0, count: lines.count * classes))
        logitsGradient.withUnsafeMutableBufferPointer { buffer in
            guard let gradient = buffer.baseAddress else { return }
            for (row, line) in lines.enumerated() {
                let label = targets.labels[line]
                let values = logits + row * classes
                self.loss += Double(
                    loss.evaluate(
                        logits: values, classes: classes, label: label, teacher: targets.teacher(line),
                        gradient: gradient + row * classes))
                if label >= 0 {
                    labelled += 1
                    if Self.argmax(values, classes) == Int(label) { correct += 1 }
                }
            }
            pass.backward(weights, batch, logitsGradient: gradient, into: gradients)
        }
    }

    /// After `run`: adds the table gradients of `columns`.
    func scatter(columns: Range<Int>, shortcut: Bool, into tables: StudentWeights) {
        logitsGradient.withUnsafeBufferPointer { buffer in
            guard let gradient = buffer.baseAddress else { return }
            pass.scatter(
                batch, columns: columns, shortcut: shortcut, logitsGradient: gradient, into: tables)
        }
    }

    static func argmax(_ values: UnsafePointer<Float>, _ count: Int) -> Int {
        var best = 0
        for index in 1..<max(count, 1) where values[index] > values[best] { best = index }
        return best
    }
}

/// Collects the distinct rows of a table that a batch uses, in the order of their first occurrence.
struct TouchedRows {
    private(set) var rows: [Int32] = []
    private var stamps: [Int32]
    private var stamp: Int32 = 0

    init(tableRows: Int) {
        stamps = Array(repeating: 0, count: tableRows)
    }

    mutating func begin() {
        rows.removeAll(keepingCapacity: true)
        stamp += 1
    }

    mutating func insert(_ ids: [Int32]) {
        for id in ids where stamps[Int(id)] != stamp {
            stamps[Int(id)] = stamp
            rows.append(id)
        }
    }
}

/// The progress of a training run; reported after steps and at the end of epochs.
public struct TrainingProgress: Sendable {
    /// From 1.
    public var epoch: Int
    public var epochs: Int
    /// Processed lines of this epoch, and all of them.
    public var lines: Int
    public var totalLines: Int
    /// Mean loss over this epoch's lines so far.
    public var loss: Double
    /// Accuracy over this epoch's labelled lines so far; nil if there were none.
    public var accuracy: Double?
    /// Of the epoch that has just ended; nil before that or without validation lines.
    public var validationAccuracy: Double?

    public var isEndOfEpoch: Bool { lines == totalLines }
}
