import Glibc

/// The kernels of bert_kernels.h as plain loops: the reference for reading and for tests.
///
/// Arrays are row-major; sums are in f64.
enum TeacherReference {
    /// x·Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016, "Gaussian Error Linear Units").
    static func gelu(_ x: Float) -> Float { Float(0.5 * Double(x) * (1 + erf(Double(x) / 2.0.squareRoot()))) }

    /// The same paper's approximation by tanh: `gelu_new`, `gelu_pytorch_tanh`.
    static func geluTanh(_ x: Float) -> Float {
        let x = Double(x)
        return Float(0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))))
    }

    static func relu(_ x: Float) -> Float { max(x, 0) }

    /// softmax(scale · row).
    static func softmax(_ row: [Float], scale: Float) -> [Float] {
        let highest = Double(row.max() ?? 0) * Double(scale)
        let powers = row.map { exp(Double($0) * Double(scale) - highest) }
        let total = powers.reduce(0, +)
        return powers.map { Float($0 / total) }
    }

    /// LayerNorm(row)·gain + shift (Ba, Kiros & Hinton 2016); the variance is the population variance of the row.
    static func layerNorm(_ row: [Float], gain: [Float], shift: [Float], epsilon: Float) -> [Float] {
        let count = Double(row.count)
        let mean = row.reduce(0) { $0 + Double($1) } / count
        let variance = row.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        return row.indices.map { Float((Double(row[$0]) - mean) * scale) * gain[$0] + shift[$0] }
    }

    /// Attention of one line: softmax(scale · Q·Kᵀ)·V for each head, heads side by side (Vaswani et al. 2017, §3.2).
    ///
    /// `queryKeyValue` is (length, 3·heads·width); the result (length, heads·width).
    static func attention(
        _ queryKeyValue: [Float], length: Int, heads: Int, width: Int, scale: Float
    ) -> [Float] {
        let hidden = heads * width
        func element(_ token: Int, _ part: Int, _ head: Int, _ column: Int) -> Float {
            queryKeyValue[token * 3 * hidden + part * hidden + head * width + column]
        }
        var out = [Float](repeating: 0, count: length * hidden)
        for head in 0..<heads {
            for query in 0..<length {
                let scores = (0..<length).map { key in
                    var sum = 0.0
                    for column in 0..<width {
                        sum += Double(element(query, 0, head, column) * element(key, 1, head, column))
                    }
                    return Float(sum)
                }
                let probabilities = softmax(scores, scale: scale)
                for column in 0..<width {
                    out[query * hidden + head * width + column] = Float(
                        (0..<length).reduce(0.0) { $0 + Double(probabilities[$1] * element($1, 2, head, column)) })
                }
            }
        }
        return out
    }
}
