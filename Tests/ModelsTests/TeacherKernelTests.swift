import CKernels
import Glibc
import Models
import Tensors
import Testing

/// Every kernel at every level that this processor has, against plain loops on random input.
@Suite struct TeacherKernelTests {
    static let levels: [String] = ["avx512", "avx2", "portable"].filter { (level: String) in
        bert_kernels_named(level) != nil
    }
    /// Widths that are whole vectors, less than one, and whole vectors and a rest.
    static let widths = [1, 3, 16, 21, 64, 77]

    static func kernels(_ level: String) throws -> bert_kernels {
        try #require(bert_kernels_named(level)).pointee
    }

    static func random(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in scale * generator.normal() }
    }

    static func expectEqual(_ a: [Float], _ b: [Float], within tolerance: Float, _ what: String) {
        #expect(a.count == b.count)
        for (index, pair) in zip(a, b).enumerated() where !(abs(pair.0 - pair.1) <= tolerance * (1 + abs(pair.1))) {
            Issue.record("\(what) [\(index)]: \(pair.0), the reference says \(pair.1)")
            return
        }
    }

    @Test func everyProcessorHasThePortableLevelAndNoUnknownOne() {
        #expect(Self.levels.contains("portable"))
        #expect(bert_kernels_named("sse9") == nil)
    }

    @Test(arguments: levels)
    func activations(level: String) throws {
        let kernels = try Self.kernels(level)
        let cases: [(UInt32, (Float) -> Float)] = [
            (BERT_GELU.rawValue, TeacherReference.gelu), (BERT_GELU_TANH.rawValue, TeacherReference.geluTanh),
            (BERT_RELU.rawValue, TeacherReference.relu), (BERT_TANH.rawValue, { Float(tanh(Double($0))) }),
        ]
        // Far tails, zero and everything between, in steps that hit no round numbers.
        let x = stride(from: Float(-30), through: 30, by: 0.00317).map { $0 } + [0, -0.0, 1e-30, -1e-30, 100, -100]
        for (code, reference) in cases {
            var out = x
            let bias = [Float](repeating: 0, count: x.count)
            var before = bias
            kernels.bias_activation(&out, bias, 1, Int64(x.count), Int32(code), &before)
            #expect(before == x)
            for (index, value) in out.enumerated() {
                let expected = reference(x[index])
                // Two or three units in the last place of f32, on values near 1; absolute below that.
                #expect(abs(value - expected) <= 4e-7 * max(1, abs(expected)), "activation \(code) of \(x[index])")
            }
        }
    }

    /// GELU for what is rounded to 8 bits next.
    @Test(arguments: levels)
    func coarseGELU(level: String) throws {
        let x = stride(from: Float(-30), through: 30, by: 0.00317).map { $0 } + [0, -0.0, 100, -100]
        var out = x
        try Self.kernels(level).bias_activation(
            &out, [Float](repeating: 0, count: x.count), 1, Int64(x.count), Int32(BERT_GELU_COARSE.rawValue), nil)
        for (value, input) in zip(out, x) {
            #expect(abs(value - TeacherReference.gelu(input)) <= 5e-5 * max(1, abs(input)), "at \(input)")
        }
    }

    @Test(arguments: levels, widths)
    func biasIsAddedToEveryRow(level: String, width: Int) throws {
        let kernels = try Self.kernels(level)
        let x = Self.random(5 * width, seed: 1)
        let bias = Self.random(width, seed: 2)
        var out = x
        kernels.bias(&out, bias, 5, Int64(width))
        #expect(out == x.indices.map { x[$0] + bias[$0 % width] })
        var activated = x
        var before = [Float](repeating: 0, count: x.count)
        kernels.bias_activation(&activated, bias, 5, Int64(width), Int32(BERT_GELU.rawValue), &before)
        #expect(before == out)
        Self.expectEqual(activated, out.map(TeacherReference.gelu), within: 1e-6, "gelu")
        var sums = bias
        kernels.add_column_sums(&sums, x, 5, Int64(width))
        let expected = (0..<width).map { column in (0..<5).reduce(bias[column]) { $0 + x[$1 * width + column] } }
        Self.expectEqual(sums, expected, within: 1e-6, "column sums")
    }

    @Test(arguments: levels, widths)
    func residualLayerNorm(level: String, width: Int) throws {
        let kernels = try Self.kernels(level)
        let rows = 4
        let x = Self.random(rows * width, seed: 3, scale: 3)
        let residual = Self.random(rows * width, seed: 4)
        let bias = Self.random(width, seed: 5)
        let gain = Self.random(width, seed: 6)
        let shift = Self.random(width, seed: 7)
        var out = [Float](repeating: 0, count: rows * width)
        var normalized = out
        var reciprocal = [Float](repeating: 0, count: rows)
        kernels.residual_layer_norm(
            &out, x, bias, residual, gain, shift, Int64(rows), Int64(width), 1e-5, &normalized, &reciprocal, nil)
        let sums = x.indices.map { x[$0] + bias[$0 % width] + residual[$0] }
        let expected = (0..<rows).flatMap { row in
            TeacherReference.layerNorm(
                Array(sums[row * width..<(row + 1) * width]), gain: gain, shift: shift, epsilon: 1e-5)
        }
        Self.expectEqual(out, expected, within: 2e-5, "layer norm")
        Self.expectEqual(
            out, normalized.indices.map { normalized[$0] * gain[$0 % width] + shift[$0 % width] }, within: 1e-6, "parts"
        )
        // In place, without bias and residual.
        var inPlace = sums
        kernels.residual_layer_norm(
            &inPlace, inPlace, nil, nil, gain, shift, Int64(rows), Int64(width), 1e-5, nil, nil, nil)
        Self.expectEqual(inPlace, expected, within: 2e-5, "layer norm in place")
    }

    @Test(arguments: levels, widths)
    func softmax(level: String, width: Int) throws {
        let kernels = try Self.kernels(level)
        for spread: Float in [0.1, 1, 30, 1000] {
            let x = Self.random(3 * width, seed: 8, scale: spread)
            var out = x
            kernels.softmax(&out, 3, Int64(width), 0.3)
            let expected = (0..<3).flatMap {
                TeacherReference.softmax(Array(x[$0 * width..<($0 + 1) * width]), scale: 0.3)
            }
            // An f32 exponent of 300 is known to about 3e-5.
            Self.expectEqual(out, expected, within: max(1e-6, 1e-7 * spread), "softmax")
        }
    }

    @Test(arguments: levels, [(1, 1, 3), (2, 3, 8), (7, 2, 12), (16, 2, 16), (33, 4, 32), (70, 1, 64)])
    func attention(level: String, shape: (length: Int, heads: Int, width: Int)) throws {
        let kernels = try Self.kernels(level)
        let hidden = shape.heads * shape.width
        let input = Self.random(shape.length * 3 * hidden, seed: 9)
        var geometry = bert_attention_shape(
            length: Int64(shape.length), heads: Int64(shape.heads), width: Int64(shape.width),
            qkv_stride: Int64(3 * hidden), scale: 1 / Float(shape.width).squareRoot())
        var scratch = [Float](
            repeating: .nan, count: Int(bert_attention_scratch(Int64(shape.length), Int64(shape.width))))
        let expected = TeacherReference.attention(
            input, length: shape.length, heads: shape.heads, width: shape.width, scale: geometry.scale)
        var out = [Float](repeating: .nan, count: shape.length * hidden)
        kernels.attention(&out, Int64(hidden), input, Int64(shape.length), &geometry, &scratch, nil, nil)
        Self.expectEqual(out, expected, within: 3e-6, "attention")
        var first = [Float](repeating: .nan, count: hidden)
        kernels.attention(&first, Int64(hidden), input, 1, &geometry, &scratch, nil, nil)
        Self.expectEqual(first, Array(expected.prefix(hidden)), within: 3e-6, "attention of the first token")
    }

    @Test(arguments: levels)
    func dropoutDropsTheShareAskedForAndKeepsTheMean(level: String) throws {
        let kernels = try Self.kernels(level)
        let count = 200_003
        let x = [Float](repeating: 1, count: count)
        for probability: Float in [0.1, 0.5] {
            var mask = bert_dropout(
                key0: 7, key1: 11, threshold: UInt32(Double(probability) * 4_294_967_296), scale: 1 / (1 - probability))
            var out = [Float](repeating: 0, count: count)
            kernels.dropout(&out, x, Int64(count), &mask)
            let dropped = out.count { $0 == 0 }
            // Four standard deviations of a binomial.
            let deviation = (Float(count) * probability * (1 - probability)).squareRoot()
            #expect(abs(Float(dropped) - Float(count) * probability) < 4 * deviation)
            #expect(out.allSatisfy { $0 == 0 || $0 == mask.scale })
            // Neighbours are dropped independently.
            let both = (1..<count).count { out[$0] == 0 && out[$0 - 1] == 0 }
            let expected = Float(count) * probability * probability
            #expect(abs(Float(both) - expected) < 6 * expected.squareRoot())
        }
    }

    /// Each head drops other probabilities. Keys of zero make all probabilities equal, and the value of token t is the t-th
    /// unit vector, so that the output shows the mask.
    @Test(arguments: levels)
    func attentionDropsAnewInEachHead(level: String) throws {
        let kernels = try Self.kernels(level)
        let (length, heads, width) = (16, 2, 16)
        let hidden = heads * width
        var input = [Float](repeating: 0, count: length * 3 * hidden)
        for token in 0..<length {
            for head in 0..<heads { input[token * 3 * hidden + 2 * hidden + head * width + token] = 1 }
        }
        var geometry = bert_attention_shape(
            length: Int64(length), heads: Int64(heads), width: Int64(width), qkv_stride: Int64(3 * hidden), scale: 1)
        var mask = bert_dropout(key0: 5, key1: 9, threshold: 1 << 31, scale: 2)
        var scratch = [Float](repeating: .nan, count: Int(bert_attention_scratch(Int64(length), Int64(width))))
        var out = [Float](repeating: .nan, count: length * hidden)
        kernels.attention(&out, Int64(hidden), input, Int64(length), &geometry, &scratch, nil, &mask)
        let count = heads * length * length
        var factors = [Float](repeating: .nan, count: count)
        kernels.dropout(&factors, [Float](repeating: 1, count: count), Int64(count), &mask)
        for head in 0..<heads {
            for query in 0..<length {
                for key in 0..<length {
                    let wanted = factors[(head * length + query) * length + key] / Float(length)
                    #expect(abs(out[query * hidden + head * width + key] - wanted) < 1e-6)
                }
            }
        }
    }

    @Test func dropoutMasksAreTheSameAtEveryLevel() throws {
        let x = Self.random(1001, seed: 10)
        let masks = try Self.levels.map { level in
            var mask = bert_dropout(key0: 1, key1: 2, threshold: 1 << 30, scale: 4.0 / 3)
            var out = [Float](repeating: 0, count: x.count)
            try Self.kernels(level).dropout(&out, x, Int64(x.count), &mask)
            return out
        }
        for other in masks.dropFirst() { #expect(other == masks[0]) }
    }

    @Test(arguments: levels)
    func adamW(level: String) throws {
        let kernels = try Self.kernels(level)
        let count = 37
        let start = Self.random(count, seed: 12)
        let gradient = Self.random(count, seed: 13)
        var weights = start
        var mean = Self.random(count, seed: 14)
        var square = Self.random(count, seed: 15).map { abs($0) }
        let (oldMean, oldSquare) = (mean, square)
        kernels.adamw(&weights, &mean, &square, gradient, Int64(count), 0.5, 0.01, 0.9, 0.99, 1e-8, 0.1, 0.3, 0.2)
        for index in 0..<count {
            let g = 0.5 * gradient[index]
            let m = 0.9 * oldMean[index] + 0.1 * g
            let v = 0.99 * oldSquare[index] + 0.01 * g * g
            let step = (m / 0.3) / ((v / 0.2).squareRoot() + 1e-8)
            #expect(abs(weights[index] - (start[index] - 0.01 * (step + 0.1 * start[index]))) < 1e-5)
            #expect(abs(mean[index] - m) < 1e-6 && abs(square[index] - v) < 1e-6)
        }
        let many = Self.random(10_007, seed: 16)
        let exact = many.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(kernels.sum_of_squares(many, Int64(many.count)) - exact) < 1e-5 * exact)
    }

    /// Backward kernels: every level gives what the portable one gives, which the gradient tests hold against PyTorch.
    @Test(arguments: levels)
    func backwardPassesAgreeWithThePortableOnes(level: String) throws {
        let (fast, plain) = (try Self.kernels(level), try Self.kernels("portable"))
        let (rows, width) = (5, 21)
        let gradient = Self.random(rows * width, seed: 20)
        let normalized = Self.random(rows * width, seed: 21)
        let reciprocal = Self.random(rows, seed: 22).map { abs($0) }
        let gain = Self.random(width, seed: 23)
        func layerNorm(_ kernels: bert_kernels) -> [Float] {
            var (g, dGain, dShift) = (gradient, gain, gain)
            kernels.layer_norm_backward(&g, normalized, reciprocal, gain, Int64(rows), Int64(width), &dGain, &dShift)
            return g + dGain + dShift
        }
        Self.expectEqual(layerNorm(fast), layerNorm(plain), within: 1e-5, "layer norm backward")
        for code in [BERT_GELU, BERT_GELU_TANH, BERT_RELU, BERT_TANH] {
            func activation(_ kernels: bert_kernels) -> [Float] {
                var g = gradient
                kernels.activation_backward(&g, normalized, Int64(g.count), Int32(code.rawValue))
                return g
            }
            Self.expectEqual(activation(fast), activation(plain), within: 2e-6, "activation backward")
        }
        let (length, heads, head) = (19, 2, 12)
        let hidden = heads * head
        let input = Self.random(length * 3 * hidden, seed: 24)
        let outGradient = Self.random(length * hidden, seed: 25)
        func attention(_ kernels: bert_kernels, queries: Int) -> [Float] {
            var shape = bert_attention_shape(
                length: Int64(length), heads: Int64(heads), width: Int64(head), qkv_stride: Int64(3 * hidden),
                scale: 0.3)
            var scratch = [Float](repeating: .nan, count: Int(bert_attention_scratch(Int64(length), Int64(head))))
            var probabilities = [Float](repeating: 0, count: heads * length * length)
            var out = [Float](repeating: 0, count: length * hidden)
            var mask = bert_dropout(key0: 3, key1: 4, threshold: 1 << 29, scale: 8.0 / 7)
            kernels.attention(
                &out, Int64(hidden), input, Int64(queries), &shape, &scratch, &probabilities, &mask)
            var all = [Float](repeating: 0, count: input.count)
            kernels.attention_backward(
                &all, outGradient, Int64(hidden), input, Int64(queries), probabilities, &shape, &scratch, &mask)
            return out + all
        }
        for queries in [1, length] {
            Self.expectEqual(
                attention(fast, queries: queries), attention(plain, queries: queries), within: 2e-5, "attention")
        }
    }
}
