import Glibc
import Streams
import TestSupport
import Testing

private func verdict(_ logits: [Float], temperature: Float = 1) -> Verdict? {
    logits.withUnsafeBufferPointer { Verdict($0, temperature: temperature) }
}

@Suite struct VerdictTests {
    @Test(arguments: 0..<200)
    func agreesWithThePlainFormulas(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let logits = (0..<Int.random(in: 2...9, using: &random)).map { _ in Float.random(in: -6...6, using: &random) }
        let temperature = Float.random(in: 0.3...4, using: &random)
        let powers = logits.map { exp(Double($0) / Double(temperature)) }
        let probabilities = powers.map { $0 / powers.reduce(0, +) }
        let sorted = probabilities.sorted(by: >)
        let entropy = -probabilities.reduce(0) { $0 + $1 * log($1) } / log(Double(logits.count))
        let found = try #require(verdict(logits, temperature: temperature))
        #expect(probabilities[found.label] == sorted[0])
        #expect(abs(Double(found.confidence) - sorted[0]) < 1e-6)
        #expect(abs(Double(found.margin) - (sorted[0] - sorted[1])) < 1e-6)
        #expect(abs(Double(found.entropy) - entropy) < 1e-6)
    }

    @Test func edges() throws {
        #expect(verdict([0, 0, 0])?.label == 0)
        #expect(abs((verdict([0, 0, 0])?.confidence ?? 0) - 1 / 3) < 1e-6)
        #expect(verdict([0, 0])?.entropy == 1)
        #expect(verdict([5]) == Verdict(label: 0, confidence: 1, margin: 1, entropy: 0))
        #expect(verdict([-3e38, 3e38]) == Verdict(label: 1, confidence: 1, margin: 1, entropy: 0))
        #expect(verdict([3e38, 3e38], temperature: 1e-30)?.confidence == 0.5)
        for broken in [Float.nan, .infinity, -.infinity] {
            #expect(verdict([broken, 0]) == nil && verdict([0, 1, broken]) == nil)
        }
        #expect(verdict([]) == nil)
    }
}

extension Verdict {
    /// A verdict for records, which don't contain the margin and the entropy.
    init(label: Int, confidence: Float) {
        self.init(label: label, confidence: confidence, margin: confidence, entropy: 0)
    }
}
