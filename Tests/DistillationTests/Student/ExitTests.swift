import Distillation
import Models
import Tensors
import Testing
import Text

/// The early exit's training and its threshold.
@Suite struct ExitTests {
    /// Lines of one informative n-gram (bucket = label) among others of chance.
    private static func corpus(lines: Int, noise: Int, seed: UInt64) -> (corpus: EncodedCorpus, labels: [Int32]) {
        var generator = SeededGenerator(seed: seed)
        var batch = StudentBatch()
        var labels: [Int32] = []
        for _ in 0..<lines {
            let label = Int32(generator.next(below: 3))
            labels.append(label)
            batch.tokens.append { $0.append(0) }
            batch.buckets.append { ids in
                ids.append(label)
                for _ in 0..<noise { ids.append(Int32(3 + generator.next(below: 61))) }
            }
        }
        return (EncodedCorpus(batch), labels)
    }

    @Test func aLinearRuleIsLearnt() throws {
        let (corpus, labels) = Self.corpus(lines: 600, noise: 3, seed: 1)
        let trainer = ExitTrainer(loss: DistillationLoss(kind: .kl, labelShare: 0.5, temperature: 2), seed: 4)
        let weights = try trainer.train(corpus, TrainingTargets(labels: labels, logits: nil), buckets: 64, labels: 3)
            .get()
        let (other, truth) = Self.corpus(lines: 200, noise: 3, seed: 2)
        let logits = ExitTrainer.logits(other, weights)
        let right = truth.indices.count { line in
            (0..<3).max { logits[line * 3 + $0] < logits[line * 3 + $1] } == Int(truth[line])
        }
        #expect(right > 190)
        // The same again, to the bit.
        let again = try trainer.train(corpus, TrainingTargets(labels: labels, logits: nil), buckets: 64, labels: 3)
            .get()
        #expect(again.table.storage.array == weights.table.storage.array)
    }

    @Test func linesWithoutLabelOrTeacherTeachNothing() throws {
        let (corpus, labels) = Self.corpus(lines: 50, noise: 2, seed: 3)
        let weights = try ExitTrainer(loss: DistillationLoss(), seed: 1).train(
            corpus, TrainingTargets(labels: labels.map { _ in -1 }, logits: nil), buckets: 64, labels: 3
        ).get()
        #expect(weights.table.storage.array.allSatisfy { $0 == 0 })
    }

    @Test func theLowestThresholdThatLosesNothingIsTaken() throws {
        // Two labels. The exit is right on the first 60 lines by a margin of 4 and wrong on the others by 1; the student is
        // wrong on 20 of those.
        let exit: [Float] = (0..<100).flatMap { $0 < 60 ? [4, 0] as [Float] : [0, 1] }
        let student: [Float] = (0..<100).flatMap { (60..<80).contains($0) ? [0, 2] as [Float] : [2, 0] }
        let labels = [Int32](repeating: 0, count: 100)
        let found = try #require(ExitThreshold.fit(exit: exit, student: student, labels: labels, labelCount: 2))
        #expect(found.share == 0.6)
        #expect(found.logits[0] == found.exit.scale * 4)
        #expect(Array(found.logits[198...]) == [2, 0])
    }

    @Test func anExitThatCostsAccuracyIsLeftOut() {
        let exit: [Float] = (0..<100).flatMap { _ in [0, 4] as [Float] }
        let student: [Float] = (0..<100).flatMap { _ in [2, 0] as [Float] }
        let labels = [Int32](repeating: 0, count: 100)
        #expect(ExitThreshold.fit(exit: exit, student: student, labels: labels, labelCount: 2) == nil)
        #expect(ExitThreshold.fit(exit: exit, student: student, labels: labels.map { _ in -1 }, labelCount: 2) == nil)
    }

    /// The exit is right on the same lines, but as sure where it is wrong: the lines that are wrong would no longer be
    /// deferred.
    @Test func anExitThatBlursWhatIsSureIsLeftOut() {
        let wrong = { (line: Int) in line % 20 == 0 }
        let student: [Float] = (0..<200).flatMap { wrong($0) ? [0, 0.2] as [Float] : [2, 0] }
        let exit: [Float] = (0..<200).flatMap { wrong($0) ? [0, 2] as [Float] : [2, 0] }
        let labels = [Int32](repeating: 0, count: 200)
        #expect(ExitThreshold.fit(exit: exit, student: student, labels: labels, labelCount: 2) == nil)
        // As good an exit in every way is taken.
        #expect(ExitThreshold.fit(exit: student, student: student, labels: labels, labelCount: 2) != nil)
    }

    /// The exit's logits are brought to the scale at which the student's temperature is right for them.
    @Test(arguments: [0.5, 1, 3] as [Float])
    func theScaleBringsTheExitToTheStudentsTemperature(size: Float) throws {
        let wrong = { (line: Int) in line % 20 == 0 }
        let student: [Float] = (0..<200).flatMap { wrong($0) ? [0, 1] as [Float] : [2, 0] }
        let labels = [Int32](repeating: 0, count: 200)
        let found = try #require(
            ExitThreshold.fit(exit: student.map { $0 * size }, student: student, labels: labels, labelCount: 2))
        #expect(abs(found.exit.scale * size - 1) < 1e-3)
        for (one, two) in zip(found.logits, student) { #expect(abs(one - two) < 1e-2) }
    }
}
