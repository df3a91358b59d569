import Distillation
import Models
import Tensors
import Testing

@Suite struct StudentOptimizerTests {
    private func configuration() -> StudentConfiguration {
        var configuration = StudentConfiguration(
            version: "t", vocabularySize: 12, embeddingSize: 3, hiddenSize: 2, denseSize: 2, pooling: [.max],
            labels: ["a", "b"])
        configuration.shortcutBuckets = 8
        return configuration
    }

    /// Adam as in algorithm 1 of Kingma & Ba 2015, over every value at every step.
    private struct DenseAdam {
        var m: [Double], v: [Double], w: [Double], step = 0

        init(_ weights: [Float]) {
            w = weights.map(Double.init)
            m = w.map { _ in 0 }
            v = m
        }

        mutating func update(_ g: [Double], rate: Double) {
            step += 1
            for index in w.indices {
                m[index] = 0.9 * m[index] + 0.1 * g[index]
                v[index] = 0.999 * v[index] + 0.001 * g[index] * g[index]
                let first = m[index] / (1 - pow(0.9, step))
                let second = v[index] / (1 - pow(0.999, step))
                w[index] -= rate * first / (second.squareRoot() + 1e-8)
            }
        }

        private func pow(_ base: Double, _ exponent: Int) -> Double {
            (0..<exponent).reduce(1) { product, _ in product * base }
        }
    }

    @Test func denseTensorsFollowAdamExactlyAndTableRowsCatchUpWithIt() {
        let configuration = configuration()
        var generator = SeededGenerator(seed: 5)
        let weights = StudentWeights(zeros: configuration)
        weights.randomize(configuration, using: &generator, embeddingDeviation: 0.5)
        let gradients = StudentWeights(zeros: configuration)
        var options = OptimizerOptions()
        options.learningRate = 0.01
        let optimizer = StudentOptimizer(options, weights: weights, configuration: configuration)
        var dense = DenseAdam(weights.dense.storage.array)
        var table = DenseAdam(weights.embedding.storage.array)
        for step in 0..<300 {
            // A step touches two rows of twelve, so most rows wait several steps; the last waits longest.
            let rows: [Int32] = step % 50 == 7 ? [11, 3] : [Int32(generator.next(below: 5)), Int32(5 + step % 6)]
            optimizer.prepare(embeddingRows: rows, shortcutRows: [])
            var denseGradient: [Double] = []
            for index in 0..<weights.dense.count {
                gradients.dense.pointer[index] = generator.normal() * 2
                denseGradient.append(Double(gradients.dense.pointer[index]) / 2)
            }
            var tableGradient = [Double](repeating: 0, count: weights.embedding.count)
            for row in rows {
                for column in 0..<3 {
                    gradients.embedding.row(Int(row))[column] = generator.normal()
                    tableGradient[Int(row) * 3 + column] = Double(gradients.embedding.row(Int(row))[column]) / 2
                }
            }
            optimizer.update(gradients, scale: 0.5, rate: 0.01, embeddingRows: rows, shortcutRows: [])
            dense.update(denseGradient, rate: 0.01)
            table.update(tableGradient, rate: 0.01)
            #expect(gradients.embedding.storage.array.allSatisfy { $0 == 0 })
        }
        optimizer.prepareAll()
        for (index, expected) in dense.w.enumerated() {
            #expect(abs(Double(weights.dense.pointer[index]) - expected) < 1e-4)
        }
        for (index, expected) in table.w.enumerated() {
            // Weights have moved by about 0.3; catching up must be right to a few per cent of that.
            #expect(abs(Double(weights.embedding.pointer[index]) - expected) < 0.02, "row \(index / 3)")
        }
    }

    @Test func clippingBoundsTheStepOfSGD() {
        let configuration = configuration()
        let weights = StudentWeights(zeros: configuration)
        let gradients = StudentWeights(zeros: configuration)
        var options = OptimizerOptions()
        options.kind = .sgd
        options.clip = 1
        let optimizer = StudentOptimizer(options, weights: weights, configuration: configuration)
        gradients.dense.pointer[0] = 30
        gradients.embedding.row(2)[1] = 40
        optimizer.update(gradients, scale: 1, rate: 1, embeddingRows: [2], shortcutRows: [])
        #expect(abs(weights.dense.pointer[0] + 0.6) < 1e-5)
        #expect(abs(weights.embedding.row(2)[1] + 0.8) < 1e-5)
    }
}
