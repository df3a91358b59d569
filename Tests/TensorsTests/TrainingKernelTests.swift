import CKernels
import Glibc
import Tensors
import Testing

/// The student's training kernels at every level, against the same arithmetic in doubles.
@Suite struct TrainingKernelTests {
    private static let levels = [US_PORTABLE, US_AVX2, US_AVXVNNI, US_AVX512]

    private func random(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in scale * generator.normal() }
    }

    /// Calls `body` at each level that this processor has.
    private func atEachLevel(_ body: (String) -> Void) {
        defer { us_force_level(us_best_level()) }
        for level in Self.levels where Int32(level.rawValue) <= us_best_level() {
            us_force_level(Int32(level.rawValue))
            body("level \(level.rawValue)")
        }
    }

    /// One step with weight decay (Loshchilov & Hutter 2019, algorithm 2).
    @Test func adamDecaysTheWeightsApartFromTheGradient() {
        let count = 37
        let (start, gradient) = (random(count, seed: 1), random(count, seed: 2))
        let (mean, square) = (random(count, seed: 3), random(count, seed: 4).map { abs($0) })
        atEachLevel { level in
            var (w, g, m, v) = (start, gradient, mean, square)
            us_adam(Int64(count), &w, &g, &m, &v, 0.9, 0.99, 0.02, 1.5, 1e-8, 0.25, 0.5)
            for k in 0..<count {
                let scaled = 0.5 * Double(gradient[k])
                let first = 0.9 * Double(mean[k]) + 0.1 * scaled
                let second = 0.99 * Double(square[k]) + 0.01 * scaled * scaled
                let step = 0.02 * first / ((second * 1.5).squareRoot() + 1e-8)
                #expect(abs(Double(w[k]) - (0.75 * Double(start[k]) - step)) < 1e-5, "\(level)")
                #expect(abs(Double(m[k]) - first) < 1e-6 && abs(Double(v[k]) - second) < 1e-6, "\(level)")
                #expect(g[k] == 0)
            }
        }
    }

    /// The cell's functions are exact to f32: the gradients are those of the exact ones.
    @Test(arguments: [1, 8, 19]) func aCellsStepIsExactToSingles(units: Int) {
        let rows = 3
        let gates = random(rows * 4 * units, seed: 5, scale: 2)
        let before = random(rows * units, seed: 6)
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        atEachLevel { level in
            var activations = gates
            var cell = [Float](repeating: .nan, count: rows * units)
            var (tanhCell, hidden) = (cell, cell)
            us_lstm_cell_forward(Int32(rows), Int32(units), &activations, before, &cell, &tanhCell, &hidden)
            for row in 0..<rows {
                for unit in 0..<units {
                    let at = row * units + unit
                    func gate(_ number: Int) -> Double { Double(gates[(row * 4 + number) * units + unit]) }
                    let c = sigmoid(gate(1)) * Double(before[at]) + sigmoid(gate(0)) * tanh(gate(2))
                    #expect(abs(Double(cell[at]) - c) < 2e-6, "\(level)")
                    #expect(abs(Double(tanhCell[at]) - tanh(c)) < 2e-6, "\(level)")
                    #expect(abs(Double(hidden[at]) - sigmoid(gate(3)) * tanh(c)) < 2e-6, "\(level)")
                }
            }
        }
    }
}
