import Distillation
import Models
import Tensors
import Testing

@Suite struct StudentGradientTests {
    private func loss(_ golden: StudentGolden) -> DistillationLoss {
        let metadata = golden.file.metadata
        return DistillationLoss(
            kind: DistillationLoss.Kind(rawValue: metadata["loss"] ?? "") ?? .mse,
            labelShare: Float(metadata["lambda"] ?? "") ?? 0, temperature: Float(metadata["temperature"] ?? "") ?? 1)
    }

    private func evaluate(_ golden: StudentGolden, _ pass: StudentPass) -> (loss: Float, gradient: [Float]) {
        let classes = golden.configuration.labels.count
        let loss = loss(golden)
        let logits = pass.forward(golden.weights, golden.batch)
        var gradient = [Float](repeating: 0, count: golden.batch.count * classes)
        var total: Float = 0
        gradient.withUnsafeMutableBufferPointer { buffer in
            guard let out = buffer.baseAddress else { return }
            for line in 0..<golden.batch.count {
                total += loss.evaluate(
                    logits: logits + line * classes, classes: classes, label: golden.labels[line],
                    teacher: golden.teacher.row(line), gradient: out + line * classes)
            }
        }
        return (total, gradient)
    }

    private func gradients(_ golden: StudentGolden) -> (loss: Float, gradients: StudentWeights) {
        let pass = StudentPass(golden.configuration)
        let (loss, gradient) = evaluate(golden, pass)
        let result = StudentWeights(zeros: golden.configuration)
        gradient.withUnsafeBufferPointer { buffer in
            guard let pointer = buffer.baseAddress else { return }
            pass.backward(golden.weights, golden.batch, logitsGradient: pointer, into: result)
            // In two parts, as two threads would.
            let width = golden.configuration.embeddingSize
            for part in [0..<width / 2, width / 2..<width] {
                pass.scatter(
                    golden.batch, columns: part, shortcut: part.lowerBound == 0, logitsGradient: pointer, into: result)
            }
        }
        return (loss, result)
    }

    @Test(arguments: StudentGolden.names) func lossAndEveryGradientEqualPyTorch(name: String) throws {
        let golden = try StudentGolden(name)
        let (loss, gradients) = gradients(golden)
        let expectedLoss = try golden.file.vector("loss", count: 1).storage[0]
        #expect(abs(loss - expectedLoss) < 1e-4 * max(1, expectedLoss))
        for (tensor, matrix, shape) in gradients.named {
            let expected =
                shape.count == 1
                ? try golden.file.vector("grad." + tensor, count: shape[0])
                : try golden.file.matrix("grad." + tensor, rows: shape[0], columns: shape[1])
            var largest: Float = 0
            for (value, other) in zip(matrix.storage.array, expected.storage.array) {
                largest = max(largest, abs(value - other))
            }
            #expect(largest < 2e-4, "\(tensor) of \(name) is off by \(largest)")
        }
    }

    @Test func gradientsEqualFiniteDifferences() throws {
        let golden = try StudentGolden("single")
        let (_, gradients) = gradients(golden)
        let pass = StudentPass(golden.configuration)
        for ((name, weights, _), (_, gradient, _)) in zip(golden.weights.named, gradients.named) {
            for index in stride(from: 0, to: weights.count, by: max(1, weights.count / 7)) {
                let step: Float = 1e-2
                let value = weights.pointer[index]
                weights.pointer[index] = value + step
                let above = evaluate(golden, pass).loss
                weights.pointer[index] = value - step
                let below = evaluate(golden, pass).loss
                weights.pointer[index] = value
                let slope = (above - below) / (2 * step)
                #expect(abs(slope - gradient.pointer[index]) < 5e-3, "\(name)[\(index)]")
            }
        }
    }
}
