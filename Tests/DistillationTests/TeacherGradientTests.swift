import Diagnostics
import Distillation
import Models
import Tensors
import Testing

@Suite struct TeacherGradientTests {
    @Test(arguments: TeacherTrainingGolden.names, [1, 2])
    func everyGradientIsThatOfPyTorch(name: String, threads: Int) throws {
        let golden = try TeacherTrainingGolden.read(name)
        let trainer = try TeacherTrainingGolden.trainer(name) {
            $0.trainsEmbeddings = true
            $0.threads = threads
        }
        let expected = try SafetensorsFile(path: try TeacherTrainingGolden.directory(name) + "/gradients.safetensors")
        let (loss, gradients) = trainer.lossAndGradients(Array(golden.lines.indices), of: golden.set)
        #expect(abs(loss - golden.losses[0]) < 1e-5)
        #expect(Set(gradients.map(\.name)) == Set(expected.names))
        for gradient in gradients {
            let reference =
                gradient.shape.count == 1
                ? try expected.vector(gradient.name, count: gradient.count)
                : try expected.matrix(gradient.name, rows: gradient.shape[0], columns: gradient.shape[1])
            for index in 0..<gradient.count {
                let (a, b) = (gradient.pointer[index], reference.pointer[index])
                #expect(abs(a - b) <= 1e-5 + 1e-3 * abs(b), "\(gradient.name)[\(index)]: \(a), PyTorch says \(b)")
            }
        }
    }

    @Test(arguments: TeacherTrainingGolden.names)
    func fewerLayersGiveTheSameGradients(name: String) throws {
        let golden = try TeacherTrainingGolden.read(name)
        let lines = Array(golden.lines.indices)
        let all = try TeacherTrainingGolden.trainer(name) { _ in }
        let (_, whole) = all.lossAndGradients(lines, of: golden.set)
        for layers in 0..<all.configuration.layers {
            let part = try TeacherTrainingGolden.trainer(name) { $0.layers = layers }
            let (_, gradients) = part.lossAndGradients(lines, of: golden.set)
            #expect(gradients.count < whole.count)
            for (a, b) in zip(gradients.reversed(), whole.reversed()) {
                #expect(a.name == b.name)
                for index in 0..<a.count { #expect(abs(a.pointer[index] - b.pointer[index]) < 1e-5) }
            }
        }
    }

    @Test(arguments: TeacherTrainingGolden.names)
    func tenStepsOfAdamWLoseAsInPyTorch(name: String) throws {
        let golden = try TeacherTrainingGolden.read(name)
        let trainer = try TeacherTrainingGolden.trainer(name) {
            $0.trainsEmbeddings = true
            $0.learningRate = golden.rate
            $0.headLearningRate = golden.rate
        }
        let schedule = TeacherSchedule(steps: golden.losses.count, warmUpSteps: golden.warmUpSteps)
        for (index, expected) in golden.losses.enumerated() {
            let (loss, _) = trainer.lossAndGradients(Array(golden.lines.indices), of: golden.set)
            let norm = trainer.update(factor: schedule.factor(index))
            #expect(abs(loss - expected) < 2e-4, "step \(index): \(loss), PyTorch says \(expected)")
            #expect(abs(norm - golden.norms[index]) < 2e-3 * golden.norms[index] + 1e-4)
        }
    }

    /// Directional derivatives: along a random direction in each tensor, (loss(w + hd) − loss(w − hd)) / 2h = g·d.
    @Test(arguments: [TeacherConfiguration.Pooling.cls, .mean], [Float(0), 0.3])
    func gradientsAreFiniteDifferences(pooling: TeacherConfiguration.Pooling, dropout: Float) throws {
        let golden = try TeacherTrainingGolden.read("gelu")
        let trainer = try TeacherTrainingGolden.trainer("gelu", pooling: pooling) {
            $0.trainsEmbeddings = true
            $0.dropout = dropout
        }
        let lines = Array(golden.lines.indices)
        let key: UInt64 = 99
        let gradients = trainer.lossAndGradients(lines, of: golden.set, key: key).gradients.map {
            ($0.name, $0.contents)
        }
        let weights = Dictionary(uniqueKeysWithValues: trainer.weights.tensors.map { ($0.name, $0) })
        var generator = SeededGenerator(seed: 5)
        for (name, gradient) in gradients {
            let weight = try #require(weights[name])
            let original = weight.contents
            let direction = (0..<weight.count).map { _ in generator.normal() }
            let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let h: Float = 1e-2
            func loss(_ sign: Float) -> Double {
                for index in 0..<weight.count {
                    weight.pointer[index] = original.pointer[index] + sign * h * direction[index] / length
                }
                return trainer.lossAndGradients(lines, of: golden.set, key: key).loss
            }
            let measured = (loss(1) - loss(-1)) / Double(2 * h)
            weight.pointer.update(from: original.pointer, count: weight.count)
            var along = 0.0
            for index in 0..<weight.count { along += Double(gradient.pointer[index] * direction[index] / length) }
            #expect(abs(measured - along) < 2e-3 + 0.02 * abs(along), "\(name): \(measured) measured, \(along)")
        }
    }

    @Test func dropoutLosesWhatItShouldAndRepeats() throws {
        let golden = try TeacherTrainingGolden.read("gelu")
        let trainer = try TeacherTrainingGolden.trainer("gelu") { $0.dropout = 0.2 }
        let lines = Array(golden.lines.indices)
        let first = trainer.lossAndGradients(lines, of: golden.set, key: 1).loss
        #expect(trainer.lossAndGradients(lines, of: golden.set, key: 1).loss == first)
        let losses = (0..<200).map { trainer.lossAndGradients(lines, of: golden.set, key: $0).loss }
        #expect(Set(losses).count > 190)
    }
}
