import Diagnostics
import Distillation
import Foundation
import Models
import Synchronization
import Tensors
import Testing
import Text

/// Warm starts, known logits, and labels that outrank the teacher.
@Suite struct StudentDistillerTests {
    /// Says the label of a line's first letter with a margin, and counts the lines it was asked about.
    private final class Teacher: LineClassifier {
        let labels = ["a", "b"]
        let version = "t"
        let asked = Mutex(0)

        func makeScorer() -> any LineScorer { Scorer(self) }

        private final class Scorer: LineScorer {
            private let teacher: Teacher
            init(_ teacher: Teacher) { self.teacher = teacher }
            func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
                teacher.asked.withLock { $0 += batch.count }
                batch.forEachLine { line, bytes in
                    let isFirst = bytes.first == UInt8(ascii: "x")
                    logits[2 * line] = isFirst ? 3 : -3
                    logits[2 * line + 1] = isFirst ? -3 : 3
                }
            }
        }
    }

    private let folder = NSTemporaryDirectory() + "understudy-distiller-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func data(_ lines: [String], _ labels: [Int32]) -> DataSet {
        DataSet(labels: ["a", "b"], lines: LineBatch(lines), labelIndices: labels)
    }

    private func tokenizer() throws -> LoadedTokenizer {
        var counter = CharacterCounter()
        for text in ["xyz0123456789"] { text.utf8.withContiguousStorageIfAvailable { counter.add($0) } }
        return try LoadedTokenizer.characters(try counter.vocabulary(minimumCount: 1), maximumLength: 20)
    }

    private func recipe(rate: Float, epochs: Int = 3) -> StudentRecipe {
        var recipe = StudentRecipe()
        recipe.embeddings = .random
        recipe.embeddingSize = 8
        recipe.hiddenSize = 8
        recipe.denseSize = 8
        recipe.shortcutBits = 4
        recipe.precision = "f32"
        recipe.training.epochs = epochs
        recipe.training.threads = 1
        recipe.training.batch = 4
        recipe.training.optimizer.learningRate = rate
        recipe.training.loss = DistillationLoss(kind: .kl, labelShare: 0.5, temperature: 1)
        return recipe
    }

    private var lines: [String] { (0..<60).map { ($0 % 2 == 0 ? "x" : "y") + "\($0)" } }
    /// `turned`: with the other label each, for a student that is to learn that.
    private func validation(turned: Bool = false) -> DataSet {
        data(
            (0..<20).map { ($0 % 2 == 0 ? "x" : "y") + "9\($0)" },
            (0..<20).map { Int32(turned ? 1 - $0 % 2 : $0 % 2) })
    }

    private func panel(_ teacher: Teacher) throws -> TeacherPanel {
        try TeacherPanel([.init(teacher: teacher, fingerprint: UUID().uuidString)], directory: folder, threads: 1)
    }

    private func distil(
        _ material: StudentDistiller.Material, _ recipe: StudentRecipe
    ) throws -> StudentDistiller.Result { try StudentDistiller(recipe, progress: .silent).run(material) }

    /// With nothing to learn from (a rate of almost nothing), the child is its parent.
    @Test func aWarmStartBeginsWithTheParent() throws {
        let tokenizer = try tokenizer()
        var material = StudentDistiller.Material(
            train: data(lines, (0..<60).map { Int32($0 % 2) }), validation: validation(), tokenizer: tokenizer)
        let parent = try distil(material, recipe(rate: 0.01, epochs: 10))
        #expect(parent.metrics.calibration.studentAccuracy == 1)
        material.start = StudentDistiller.Start(configuration: parent.configuration, weights: parent.weights)
        var again = recipe(rate: 1e-12)
        again.takeShape(of: parent.configuration)
        let child = try distil(material, again)
        #expect(child.configuration.parent == parent.configuration.version)
        for (one, two) in zip(parent.weights.tensors, child.weights.tensors) {
            for index in 0..<one.count { #expect(abs(one.pointer[index] - two.pointer[index]) < 1e-5) }
        }
        var other = recipe(rate: 0.01)
        other.hiddenSize = 16
        #expect(throws: UnderstudyError.self) { try distil(material, other) }
    }

    /// Stopped at every look at `shouldStop` in turn, through teacher scoring, embeddings, epochs and the early exit: there is
    /// a student only after a measured epoch.
    @Test func stoppedAtAnyLookThereIsAMeasuredEpochOrNothing() throws {
        let tokenizer = try tokenizer()
        let bert = TeacherConfiguration(
            vocabularySize: tokenizer.vocabularySize, hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 24,
            maximumLength: 24, labels: ["a", "b"])
        let weights = TeacherWeights(zeros: bert)
        var generator = SeededGenerator(seed: 5)
        for tensor in weights.tensors {
            for index in 0..<tensor.count {
                tensor.pointer[index] = tensor.name.hasSuffix("LayerNorm.weight") ? 1 : 0.3 * generator.normal()
            }
        }
        var recipe = recipe(rate: 0.01)
        recipe.embeddings = .context
        var material = StudentDistiller.Material(
            train: data(lines, (0..<60).map { Int32($0 % 2) }), validation: validation(), tokenizer: tokenizer)
        material.source = EmbeddingSource(configuration: bert, weights: weights, tokenizer: tokenizer)

        var stop = 0
        var firstLearnt: Int?
        var exits = 0
        while true {
            stop += 1
            material.panel = try panel(Teacher())
            var looks = 0
            let distiller = StudentDistiller(recipe, progress: .silent) {
                looks += 1
                return looks >= stop
            }
            do throws(UnderstudyError) {
                let result = try distiller.run(material)
                firstLearnt = firstLearnt ?? stop
                #expect(result.metrics.bestEpoch >= 1)
                #expect(result.metrics.bestEpoch <= result.metrics.validationAccuracies.count)
                #expect(result.metrics.wasInterrupted == (looks >= stop))
                if result.metrics.losses.count == 3, result.configuration.earlyExit == nil { exits += 1 }
                if looks < stop { break }
            } catch {
                #expect(error.code == .tryAgain && firstLearnt == nil, "stopped at look \(stop): \(error)")
            }
        }
        // Twice the teacher, once before the encoding, twice the embeddings, and 15 steps of the first epoch.
        #expect(firstLearnt == 2 + 1 + 2 + 15 + 1)
        // The exit's four epochs look once each; without it, no more than it would have had.
        #expect(exits >= 4)
    }

    /// What is known isn't asked again; without any label the teacher alone teaches.
    @Test func knownLogitsAreTaken() throws {
        let teacher = Teacher()
        var material = StudentDistiller.Material(
            train: data(lines, [Int32](repeating: -1, count: 60)), validation: validation(turned: true),
            tokenizer: try tokenizer())
        material.panel = try panel(teacher)
        // Known the other way round: the student must believe what is known.
        for (index, hash) in material.train.textHashes.enumerated() {
            material.knownLogits[hash] = index % 2 == 0 ? [-3, 3] : [3, -3]
        }
        let turned = try distil(material, recipe(rate: 0.01, epochs: 10))
        #expect(teacher.asked.withLock { $0 } == material.validation.count)
        #expect(turned.metrics.calibration.studentAccuracy == 1)
        material.knownLogits = [:]
        material.validation = validation()
        material.panel = try panel(teacher)
        let straight = try distil(material, recipe(rate: 0.01, epochs: 10))
        #expect(straight.metrics.calibration.studentAccuracy == 1)
        #expect(teacher.asked.withLock { $0 } == 2 * material.validation.count + 60)
    }

    /// Labels against the teacher: heard both, the student stays undecided; trusted, the labels alone are heard.
    @Test func trustedLabelsOutrankTheTeacher() throws {
        let wrong = data(lines, (0..<60).map { Int32(1 - $0 % 2) })
        var material = StudentDistiller.Material(
            train: wrong, validation: validation(turned: true), tokenizer: try tokenizer())
        material.panel = try panel(Teacher())
        let undecided = try distil(material, recipe(rate: 0.01, epochs: 10))
        material.trusted = Set(wrong.textHashes)
        let turned = try distil(material, recipe(rate: 0.01, epochs: 10))
        #expect(turned.metrics.losses.last ?? 9 < (undecided.metrics.losses.last ?? 0) / 2)
        #expect(turned.metrics.calibration.studentAccuracy == 1)
    }
}
