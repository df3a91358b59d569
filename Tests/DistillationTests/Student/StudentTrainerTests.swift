import Diagnostics
import Distillation
import Models
import Tensors
import Testing
import Text

@Suite struct StudentTrainerTests {
    private let configuration: StudentConfiguration = {
        var configuration = StudentConfiguration(
            version: "t", vocabularySize: 30, embeddingSize: 8, hiddenSize: 8, denseSize: 8, pooling: [.max, .last],
            labels: ["a", "b", "c"])
        configuration.shortcutBuckets = 64
        return configuration
    }()

    /// Lines whose label is told by one token among noise; also by one n-gram.
    private func task(_ count: Int, seed: UInt64) -> (corpus: EncodedCorpus, labels: [Int32]) {
        var generator = SeededGenerator(seed: seed)
        var batch = StudentBatch()
        var labels: [Int32] = []
        for _ in 0..<count {
            let label = generator.next(below: 3)
            labels.append(Int32(label))
            var ids: [Int32] = []
            for _ in 0..<(1 + generator.next(below: 9)) { ids.append(Int32(3 + generator.next(below: 27))) }
            ids.insert(Int32(label), at: generator.next(below: ids.count))
            batch.tokens.append(ids: ids)
            batch.buckets.append { ids in for _ in 0..<4 { ids.append(Int32(generator.next(below: 64))) } }
        }
        return (EncodedCorpus(batch), labels)
    }

    private func train(
        threads: Int, seed: UInt64 = 1, targets: (([Int32]) -> TrainingTargets)? = nil, epochs: Int = 6
    ) throws -> (StudentTrainer.Outcome, Double) {
        let (corpus, labels) = task(600, seed: 11)
        let held = task(200, seed: 12)
        var options = StudentTrainingOptions()
        options.epochs = epochs
        options.batch = 16
        options.seed = seed
        options.threads = threads
        options.optimizer.learningRate = 5e-3
        options.loss.labelShare = 1
        options.dropout = StudentPass.Dropout(embedding: 0.1, pooled: 0.1, shortcut: 0.1)
        let weights = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: seed)
        weights.randomize(configuration, using: &generator, embeddingDeviation: 0.3)
        if targets != nil { options.loss.labelShare = 0 }
        let trainer = StudentTrainer(configuration, weights: weights, options: options)
        let outcome = try trainer.train(
            corpus, targets?(labels) ?? TrainingTargets(labels: labels, logits: nil),
            validation: (held.corpus, held.labels)
        ).get()
        return (outcome, outcome.validationAccuracies.max() ?? 0)
    }

    @Test func learnsFromLabels() throws {
        let (outcome, accuracy) = try train(threads: 2)
        #expect(accuracy > 0.95)
        #expect(outcome.losses[outcome.losses.count - 1] < outcome.losses[0])
    }

    @Test func learnsFromTeacherLogitsAlone() throws {
        let (_, accuracy) = try train(threads: 2) { labels in
            let logits = Matrix(rows: labels.count, columns: 3)
            for (line, label) in labels.enumerated() { logits.row(line)[Int(label)] = 4 }
            return TrainingTargets(labels: labels.map { _ in -1 }, logits: logits)
        }
        #expect(accuracy > 0.95)
    }

    @Test func theSameSeedGivesTheSameWeights() throws {
        let first = try train(threads: 2, epochs: 2).0.weights
        let second = try train(threads: 2, epochs: 2).0.weights
        let other = try train(threads: 2, seed: 2, epochs: 2).0.weights
        #expect(first.dense.storage.array == second.dense.storage.array)
        #expect(first.embedding.storage.array == second.embedding.storage.array)
        #expect(first.dense.storage.array != other.dense.storage.array)
    }

    @Test func stoppingKeepsTheBestSoFar() throws {
        let (corpus, labels) = task(64, seed: 3)
        var options = StudentTrainingOptions()
        options.batch = 16
        options.epochs = 50
        let weights = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: 1)
        weights.randomize(configuration, using: &generator, embeddingDeviation: 0.3)
        let trainer = StudentTrainer(configuration, weights: weights, options: options)
        var steps = 0
        let outcome = try trainer.train(
            corpus, TrainingTargets(labels: labels, logits: nil), validation: (corpus, labels),
            shouldStop: {
                steps += 1
                return steps > 10
            }
        ).get()
        #expect(outcome.wasInterrupted)
        #expect(outcome.validationAccuracies.count == 2)
        #expect(outcome.bestEpoch >= 1)
    }

    @Test func divergenceIsAnError() throws {
        let (corpus, labels) = task(64, seed: 3)
        let logits = Matrix(rows: 64, columns: 3)
        logits.fill(.infinity)
        let weights = StudentWeights(zeros: configuration)
        let trainer = StudentTrainer(configuration, weights: weights, options: StudentTrainingOptions())
        #expect(throws: UnderstudyError.self) {
            _ = try trainer.train(corpus, TrainingTargets(labels: labels, logits: logits), validation: nil)
        }
    }
}
