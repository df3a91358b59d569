import Glibc
import Models
import Tensors
import Testing

@Suite struct StudentGradientTests {
    private func evaluate(_ golden: StudentGolden, _ pass: StudentPass) -> (loss: Float, gradient: [Float]) {
        let classes = golden.configuration.labels.count
        let loss = GoldenLoss(golden.file.metadata)
        let logits = pass.forward(golden.weights, golden.batch)
        var gradient: [Float] = []
        var total = 0.0
        for line in 0..<golden.batch.count {
            func values(_ row: UnsafeMutablePointer<Float>) -> [Double] { (0..<classes).map { Double(row[$0]) } }
            let result = loss.evaluate(
                values(logits + line * classes), label: Int(golden.labels[line]),
                teacher: values(golden.teacher.row(line)))
            total += result.loss
            gradient += result.gradient.map { Float($0) }
        }
        return (Float(total), gradient)
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

/// The loss of make-student-goldens.py in f64: λ · CE + (1 − λ) · (mean squared error, or T² · KL).
private struct GoldenLoss {
    let isDivergence: Bool
    let labelShare: Double
    let temperature: Double

    init(_ metadata: [String: String]) {
        isDivergence = metadata["loss"] == "kl"
        labelShare = Double(metadata["lambda"] ?? "") ?? 0
        temperature = Double(metadata["temperature"] ?? "") ?? 1
    }

    /// `label` is negative if unknown.
    func evaluate(_ logits: [Double], label: Int, teacher: [Double]) -> (loss: Double, gradient: [Double]) {
        let share = label >= 0 ? 1 - labelShare : 1
        var loss = 0.0
        var gradient = logits.map { _ in 0.0 }
        if label >= 0 {
            let own = Self.softmax(logits, 1)
            loss -= labelShare * log(own[label])
            for index in logits.indices { gradient[index] += labelShare * (own[index] - (index == label ? 1 : 0)) }
        }
        let own = Self.softmax(logits, temperature)
        let wanted = Self.softmax(teacher, temperature)
        for index in logits.indices {
            if isDivergence {
                loss += share * temperature * temperature * wanted[index] * log(wanted[index] / own[index])
                gradient[index] += share * temperature * (own[index] - wanted[index])
            } else {
                let difference = logits[index] - teacher[index]
                loss += share * difference * difference / Double(logits.count)
                gradient[index] += share * 2 * difference / Double(logits.count)
            }
        }
        return (loss, gradient)
    }

    private static func softmax(_ logits: [Double], _ temperature: Double) -> [Double] {
        let powers = logits.map { exp($0 / temperature) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}
