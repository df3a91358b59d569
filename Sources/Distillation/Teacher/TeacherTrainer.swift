import Diagnostics
import Models
import Tensors
import Text

/// Fine-tunes the last blocks, pooler and classifier of a BERT base on labelled lines.
///
/// The recipe is that of Devlin et al. 2019, §3.2 and appendix A.3: AdamW, linear warm-up and decay, dropout, gradient
/// clipping. The epoch with the best validation accuracy is kept (in a tie, the one with the lower loss).
public final class TeacherTrainer {
    public let configuration: TeacherConfiguration
    /// The trainer's weights; after `train` those of the best epoch.
    public let weights: TeacherWeights
    public let options: TeacherTrainingOptions
    let step: TeacherStep

    /// The trainer takes ownership of `weights` and changes them. Head tensors named in `missing` are initialised
    /// randomly.
    public init(
        configuration: TeacherConfiguration, weights: TeacherWeights, missing: Set<String> = [],
        options: TeacherTrainingOptions
    ) throws(UnderstudyError) {
        try options.validate(configuration)
        guard configuration.labels.count >= 2 else {
            throw UnderstudyError(.invalidData, "a classifier needs at least two labels")
        }
        self.configuration = configuration
        self.weights = weights
        self.options = options
        // If one tensor of a head is missing, the whole head is initialised anew.
        for (number, part) in [TeacherMatrix.Part.pooler, .classifier].enumerated() {
            let group = weights.headTensors.filter { $0.form.matrix.part == part }
            guard group.contains(where: { missing.contains($0.name) }) else { continue }
            var generator = SeededGenerator(seed: SeededGenerator.mixed(options.seed, 0x4ead + UInt64(number)))
            for tensor in group {
                for index in 0..<tensor.count {
                    tensor.pointer[index] =
                        tensor.shape.count > 1 ? configuration.initializerRange * generator.normal() : 0
                }
            }
        }
        step = TeacherStep(configuration, weights: weights, options: options)
    }

    /// Trains, and leaves the best epoch's weights in `weights`.
    ///
    /// `isCancelled` is called between steps; when it returns true, the best finished epoch is kept, or nothing if
    /// there is none.
    public func train(
        _ training: TeacherTrainingSet, validation: TeacherTrainingSet? = nil, isCancelled: () -> Bool = { false },
        progress: (TeacherTrainingProgress) -> Void = { _ in }
    ) throws(UnderstudyError) -> TrainingOutcome<TeacherTrainingResult> {
        try check(training, name: "training")
        if let validation { try check(validation, name: "validation") }
        var result = TeacherTrainingResult(epochs: [], bestEpoch: 0, wasCancelled: false)
        guard
            let states = frozenStates([training] + (validation.map { [$0] } ?? []), isCancelled, progress)
        else { return .stoppedEarly }
        let stepsPerEpoch = (training.count + options.batchLines - 1) / options.batchLines
        let schedule = TeacherSchedule(steps: stepsPerEpoch * options.epochs, warmUpShare: options.warmUpShare)
        let validator = TeacherValidator(configuration, weights: weights, threads: options.threads)
        var best = TeacherSnapshot()
        var report = TeacherTrainingProgress(
            stage: .training, epoch: 0, epochs: options.epochs, linesDone: 0,
            linesTotal: training.count * options.epochs, loss: 0, accuracy: 0)

        epochs: for epoch in 0..<options.epochs {
            var generator = SeededGenerator(seed: SeededGenerator.mixed(options.seed, UInt64(epoch)))
            let order = generator.permutation(training.count)
            var loss = 0.0
            var correct = 0
            var done = 0
            report.epoch = epoch + 1
            for start in stride(from: 0, to: order.count, by: options.batchLines) {
                if isCancelled() {
                    result.wasCancelled = true
                    break epochs
                }
                let lines = Array(order[start..<min(start + options.batchLines, order.count)])
                let number = epoch * stepsPerEpoch + start / options.batchLines
                let outcome = step.computeGradients(
                    lines, of: training, states: states[0], key: SeededGenerator.mixed(~options.seed, UInt64(number))
                )
                guard outcome.loss.isFinite, step.update(factor: schedule.factor(number)).isFinite else {
                    throw UnderstudyError(
                        .invalidData,
                        "training diverged in epoch \(epoch + 1), step \(number + 1); use a lower learning rate")
                }
                loss += outcome.loss
                correct += outcome.correct
                done += lines.count
                report.stage = .training
                report.linesDone += lines.count
                report.loss = loss / Double(done)
                report.accuracy = Double(correct) / Double(done)
                progress(report)
            }
            var measured = TeacherTrainingResult.Epoch(
                trainingLoss: report.loss, trainingAccuracy: report.accuracy, validationLoss: nil,
                validationAccuracy: nil)
            var isBest = true
            if let validation {
                let outcome = validator.measure(validation, states: states[1])
                measured.validationLoss = outcome.loss
                measured.validationAccuracy = outcome.accuracy
                isBest = best.isBeaten(byAccuracy: outcome.accuracy, loss: outcome.loss)
                report.stage = .validated(accuracy: outcome.accuracy, loss: outcome.loss, isBest: isBest)
                progress(report)
            }
            result.epochs.append(measured)
            if isBest {
                result.bestEpoch = epoch + 1
                best.take(
                    step.tensors, accuracy: measured.validationAccuracy ?? 0, loss: measured.validationLoss ?? 0)
            }
        }
        guard result.bestEpoch > 0 else { return .stoppedEarly }
        best.restore(step.tensors)
        return .learnt(result)
    }

    /// The frozen blocks' output for each set; [nil] for each if the embeddings are trained, nil if cancelled.
    private func frozenStates(
        _ sets: [TeacherTrainingSet], _ isCancelled: () -> Bool, _ progress: (TeacherTrainingProgress) -> Void
    ) -> [TeacherStates?]? {
        if options.trainsEmbeddings { return sets.map { _ in nil } }
        var report = TeacherTrainingProgress(
            stage: .frozenLayers, epoch: 0, epochs: options.epochs, linesDone: 0,
            linesTotal: sets.reduce(0) { $0 + $1.count }, loss: 0, accuracy: 0)
        var states: [TeacherStates?] = []
        for set in sets {
            let before = report.linesDone
            guard
                let made = TeacherStates(
                    set.tokens, configuration: configuration, weights: weights,
                    layers: configuration.layers - options.layers, threads: options.threads,
                    precision: options.frozenPrecision, isCancelled: isCancelled,
                    progress: { done in
                        report.linesDone = before + done
                        progress(report)
                    })
            else { return nil }
            states.append(made)
        }
        return states
    }

    private func check(_ set: TeacherTrainingSet, name: String) throws(UnderstudyError) {
        guard set.count > 0 else { throw UnderstudyError(.invalidData, "there are no \(name) lines") }
        guard set.count == set.tokens.count, set.labels.allSatisfy(configuration.labels.indices.contains) else {
            throw UnderstudyError(.invalidData, "a \(name) line has a label that the model doesn't have")
        }
        let vocabulary = Int32(configuration.vocabularySize)
        guard set.tokens.ids.allSatisfy({ $0 >= 0 && $0 < vocabulary }) else {
            throw UnderstudyError(.invalidData, "a \(name) line has a token that the model has no embedding for")
        }
        let longest = (0..<set.tokens.count).lazy.map { set.tokens.length($0) }.max() ?? 0
        guard longest <= configuration.maximumLength else {
            throw UnderstudyError(
                .invalidData,
                "a \(name) line has \(longest) tokens; the model takes at most \(configuration.maximumLength)")
        }
    }
}

/// Single steps, for tests against PyTorch and finite differences.
extension TeacherTrainer {
    /// Mean loss of `lines` at the current weights, and the gradient of every trained tensor, by name.
    ///
    /// The same `key` drops the same elements.
    package func lossAndGradients(
        _ lines: [Int], of set: TeacherTrainingSet, key: UInt64 = 0
    ) -> (loss: Double, gradients: [TeacherTensor]) {
        let states =
            options.trainsEmbeddings
            ? nil
            : TeacherStates(
                set.tokens, configuration: configuration, weights: weights,
                layers: configuration.layers - options.layers, threads: 1, precision: options.frozenPrecision,
                isCancelled: { false }, progress: { _ in })
        let outcome = step.computeGradients(lines, of: set, states: states, key: key)
        // Gradients number their layers from the first trained one; the weights' names have the model's numbers.
        let gradients = zip(step.tensors, step.gradients).map { weight, gradient in
            TeacherTensor(weight.form, gradient.matrix)
        }
        return (outcome.loss / Double(lines.count), gradients)
    }

    /// The update after `lossAndGradients`; returns the gradient's norm before clipping.
    package func update(factor: Float) -> Float { step.update(factor: factor) }
}

/// The best weights so far, with their measures.
struct TeacherSnapshot {
    private var copies: [Matrix] = []
    private var accuracy = -1.0
    private var loss = Double.infinity

    func isBeaten(byAccuracy accuracy: Double, loss: Double) -> Bool {
        (accuracy, -loss) > (self.accuracy, -self.loss)
    }

    mutating func take(_ tensors: [TeacherTensor], accuracy: Double, loss: Double) {
        self.accuracy = accuracy
        self.loss = loss
        copies = tensors.map(\.contents)
    }

    /// Restores the copies; does nothing if none were made.
    func restore(_ tensors: [TeacherTensor]) {
        for (tensor, copy) in zip(tensors, copies) {
            tensor.pointer.update(from: copy.pointer, count: tensor.count)
        }
    }
}
