import Diagnostics
import Distillation
import Models
import Tensors
import Testing

@Suite struct TeacherTrainerTests {
    /// Lines whose label is which of two tokens they hold more of: learnable by a tiny model.
    static func lines(_ count: Int, seed: UInt64) -> TeacherTrainingSet {
        var generator = SeededGenerator(seed: seed)
        var set = TeacherTrainingSet()
        for _ in 0..<count {
            let label = generator.next(below: 2)
            let body = (0..<3 + generator.next(below: 6)).map { _ -> Int32 in
                generator.uniform() < 0.5 ? Int32(4 + label) : Int32(6 + generator.next(below: 10))
            }
            set.append(ids: [1, Int32(4 + label)] + body + [2], label: label)
        }
        return set
    }

    static func trainer(
        pooling: TeacherConfiguration.Pooling = .cls, _ change: (inout TeacherTrainingOptions) -> Void = { _ in }
    ) throws -> TeacherTrainer {
        var configuration = TeacherConfiguration(
            vocabularySize: 16, hiddenSize: 16, layers: 2, heads: 2, intermediateSize: 24, maximumLength: 12,
            labels: ["甲", "乙"])
        configuration.pooling = pooling
        let weights = TeacherWeights(zeros: configuration)
        var generator = SeededGenerator(seed: 3)
        for tensor in weights.tensors {
            for index in 0..<tensor.count {
                tensor.pointer[index] = tensor.name.hasSuffix("LayerNorm.weight") ? 1 : 0.3 * generator.normal()
            }
        }
        var options = TeacherTrainingOptions()
        options.layers = 1
        options.epochs = 3
        options.batchLines = 8
        options.learningRate = 3e-3
        options.headLearningRate = 3e-3
        change(&options)
        return try TeacherTrainer(
            configuration: configuration, weights: weights, missing: Set(weights.headTensors.map(\.name)),
            options: options)
    }

    @Test(arguments: [TeacherConfiguration.Pooling.cls, .mean])
    func itLearns(pooling: TeacherConfiguration.Pooling) throws {
        let trainer = try Self.trainer(pooling: pooling) { $0.layers = 2 }
        let result = try trainer.train(Self.lines(300, seed: 1), validation: Self.lines(60, seed: 2)).get()
        #expect(result.epochs.count == 3)
        #expect((result.epochs.map { $0.validationAccuracy ?? 0 }.max() ?? 0) > 0.95)
        #expect(result.epochs[2].trainingLoss < result.epochs[0].trainingLoss)
    }

    @Test func theSameSeedGivesTheSameWeights() throws {
        func weights(threads: Int) throws -> [[Float]] {
            let trainer = try Self.trainer { $0.threads = threads }
            _ = try trainer.train(Self.lines(50, seed: 1), validation: Self.lines(20, seed: 2))
            return trainer.weights.tensors.map(\.contents.storage.array)
        }
        let one = try weights(threads: 1)
        #expect(try weights(threads: 1) == one)
        #expect(try weights(threads: 2) == one)
        #expect(try weights(threads: 3) == weights(threads: 3))
    }

    @Test func anotherSeedGivesOtherWeights() throws {
        let heads = try [UInt64(1), 2].map { seed in
            try Self.trainer { $0.seed = seed }.weights.classifier.storage.array
        }
        #expect(heads[0] != heads[1])
    }

    @Test func frozenTensorsStayAsTheyAre() throws {
        let trainer = try Self.trainer()
        let before = trainer.weights.tensors.map(\.contents.storage.array)
        _ = try trainer.train(Self.lines(50, seed: 1))
        for (tensor, old) in zip(trainer.weights.tensors, before) {
            let frozen = tensor.name.contains("embeddings") || tensor.name.contains("layer.0.")
            #expect((tensor.contents.storage.array == old) == frozen, "\(tensor.name)")
        }
    }

    @Test func theBestEpochsWeightsAreKept() throws {
        // A rate far too high: the first epoch does harm less than the later ones, or the other way round; either way the
        // weights left behind must be those of the epoch named best.
        let validation = Self.lines(60, seed: 2)
        var accuracies: [Double] = []
        let trainer = try Self.trainer {
            $0.learningRate = 0.1
            $0.headLearningRate = 0.1
            $0.epochs = 4
        }
        let result = try trainer.train(Self.lines(80, seed: 1), validation: validation) {
            false
        } progress: {
            if case .validated(let accuracy, _, _) = $0.stage { accuracies.append(accuracy) }
        }.get()
        #expect(accuracies.count == 4)
        #expect(accuracies[result.bestEpoch - 1] == accuracies.max())
        #expect(Self.accuracy(trainer, validation) == accuracies.max())
    }

    /// Of the weights that the trainer has left behind.
    private static func accuracy(_ trainer: TeacherTrainer, _ lines: TeacherTrainingSet) -> Double {
        let encoder = TeacherEncoder(trainer.configuration, trainer.weights)
        var logits = [Float](repeating: 0, count: lines.count * 2)
        logits.withUnsafeMutableBufferPointer {
            guard let out = $0.baseAddress else { return }
            encoder.logits(lines.tokens, lines: 0..<lines.count, into: out)
        }
        let correct = (0..<lines.count).count { (logits[2 * $0 + 1] > logits[2 * $0] ? 1 : 0) == lines.labels[$0] }
        return Double(correct) / Double(lines.count)
    }

    @Test func cancellingKeepsTheBestSoFar() throws {
        var steps = 0
        let trainer = try Self.trainer()
        let result = try trainer.train(Self.lines(80, seed: 1), validation: Self.lines(20, seed: 2)) {
            steps >= 14
        } progress: {
            if $0.stage == .training { steps += 1 }
        }.get()
        #expect(result.wasCancelled)
        #expect(result.epochs.count == 1)
        #expect(result.bestEpoch == 1)
        let never = try Self.trainer().train(Self.lines(80, seed: 1)) { true }
        #expect(throws: UnderstudyError.self) { _ = try never.get() }
    }

    /// Stopped at every look at `isCancelled` in turn: there are weights only after a whole epoch, and they are the best
    /// epoch's.
    @Test func aTrainingThatIsStoppedHasAWholeEpochOrNothing() throws {
        let (lines, held) = (Self.lines(40, seed: 1), Self.lines(20, seed: 2))
        var stop = 1
        var nothing = 0
        while stop < 1000 {
            let trainer = try Self.trainer { $0.epochs = 2 }
            var looks = 0
            let outcome = try trainer.train(lines, validation: held) {
                looks += 1
                return looks >= stop
            }
            switch outcome {
            case .stoppedEarly: nothing += 1
            case .learnt(let result):
                #expect(result.epochs.count == (result.wasCancelled ? 1 : 2), "stopped at look \(stop)")
                #expect(result.bestEpoch >= 1 && result.bestEpoch <= result.epochs.count)
                #expect(Self.accuracy(trainer, held) == result.epochs[result.bestEpoch - 1].validationAccuracy)
                if !result.wasCancelled { stop = 1000 }
            }
            stop += 1
        }
        // Two sets of frozen states, and five steps of the first epoch.
        #expect(nothing >= 7)
    }

    @Test func wrongOptionsAndLinesAreRefused() throws {
        func code(_ body: () throws -> Void) -> UnderstudyError.Code? {
            do {
                try body()
                return nil
            } catch {
                return (error as? UnderstudyError)?.code
            }
        }
        #expect(code { _ = try Self.trainer { $0.layers = 3 } } == .usage)
        #expect(code { _ = try Self.trainer { $0.epochs = 0 } } == .usage)
        #expect(code { _ = try Self.trainer { $0.learningRate = -1 } } == .usage)
        #expect(code { _ = try Self.trainer { $0.trainsEmbeddings = true } } == .usage)
        let trainer = try Self.trainer()
        #expect(code { _ = try trainer.train(TeacherTrainingSet()) } == .invalidData)
        var unknown = TeacherTrainingSet()
        unknown.append(ids: [1, 2], label: 2)
        #expect(code { _ = try trainer.train(unknown) } == .invalidData)
        var outside = TeacherTrainingSet()
        outside.append(ids: [1, 16, 2], label: 0)
        #expect(code { _ = try trainer.train(outside) } == .invalidData)
        var long = TeacherTrainingSet()
        long.append(ids: Array(repeating: 3, count: 13), label: 0)
        #expect(code { _ = try trainer.train(long) } == .invalidData)
    }

    @Test func theScheduleClimbsAndFalls() {
        let schedule = TeacherSchedule(steps: 10, warmUpSteps: 2)
        #expect((0..<10).map(schedule.factor) == [0.5, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125])
        #expect(TeacherSchedule(steps: 4, warmUpShare: 0).factor(0) == 1)
    }
}
