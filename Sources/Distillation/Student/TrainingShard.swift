import CKernels
import Models
import Tensors
import Text

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
        // Dense tensors only; the tables' gradients are shared.
        var small = configuration
        small.vocabularySize = 1
        small.shortcutBuckets = 0
        gradients = StudentWeights(zeros: small)
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
