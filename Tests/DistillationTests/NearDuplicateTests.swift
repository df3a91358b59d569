import Bytes
import Distillation
import Testing

@Suite struct NearDuplicateTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = StableHash.mixed(state &+ 1)
            return state
        }
    }

    /// As the index compares lines, by the plain definition.
    private static func similarity(_ one: String, _ two: String) -> Double {
        func pairs(_ text: String) -> Set<[Unicode.Scalar]> {
            let letters = Array(NearDuplicateIndex.normalised(text).unicodeScalars)
            return Set(zip(letters, letters.dropFirst()).map { [$0, $1] })
        }
        let (a, b) = (pairs(one), pairs(two))
        return a.isEmpty && b.isEmpty
            ? (one == two ? 1 : 0) : Double(a.intersection(b).count) / Double(a.union(b).count)
    }

    @Test(arguments: [
        ("央行下调利率0.25个百分点", "央行下调利率 0.5 个百分点！", true), ("ＡＩ芯片发布", "ai芯片发布", true),
        ("主队在加时赛中取胜", "客队在首轮出局", false), ("", "", true), ("！？", "。", true), ("赢", "赢", true), ("赢", "输", false),
    ])
    func examples(_ one: String, _ two: String, _ isSame: Bool) {
        var index = NearDuplicateIndex()
        index.insert(one)
        #expect((index.match(two) != nil) == isSame)
    }

    /// Every match is one; of the pairs at 0.8 and above nearly all are found.
    @Test func agreesWithTheDefinition() {
        var random = Random(state: 9)
        var lines: [String] = []
        for _ in 0..<300 {
            var letters = (0..<Int.random(in: 8...30, using: &random)).map { _ in
                Character(Unicode.Scalar(UInt32.random(in: 0x4E00..<0x4F00, using: &random)) ?? "一")
            }
            lines.append(String(letters))
            // A sibling that differs by a letter or two.
            for _ in 0...Int.random(in: 0...1, using: &random) {
                letters[Int.random(in: letters.indices, using: &random)] = "变"
            }
            lines.append(String(letters))
        }
        var index = NearDuplicateIndex()
        var found = 0
        var wanted = 0
        for (number, line) in lines.enumerated() {
            let same = lines[..<number].indices.filter { Self.similarity(lines[$0], line) >= 0.8 }
            let match = index.match(line)
            if let match { #expect(same.contains(match)) }
            if !same.isEmpty { wanted += 1 }
            if match != nil { found += 1 }
            index.insert(line)
        }
        #expect(wanted > 90)
        #expect(Double(found) >= 0.95 * Double(wanted))
    }

    @Test func aHugeLineCostsLittle() {
        var index = NearDuplicateIndex()
        let huge = String(repeating: "很长的一行", count: 200_000)
        index.insert(huge)
        #expect(index.match(huge) == 0)
        #expect(NearDuplicateIndex.normalised(huge).unicodeScalars.count <= 512)
    }

    /// Fitted and measured on the same few lines the error looks smaller than it is; cross-fitted it doesn't.
    @Test func crossFittingMeasuresOnOtherLines() {
        var random = Random(state: 3)
        let count = 400
        var logits: [Float] = []
        var labels: [Int32] = []
        for _ in 0..<count {
            let sure = Float.random(in: 0...4, using: &random)
            logits += [sure, 0]
            labels.append(Double.random(in: 0..<1, using: &random) < 0.7 ? 0 : 1)
        }
        let crossed = CrossFitting.calibrationError(logits: logits, labelCount: 2, labels: labels)
        // By hand: each half by the temperature of the other.
        var confidences = [Float](repeating: 0, count: count)
        var correct = [Bool](repeating: false, count: count)
        for half in 0..<2 {
            let own = (0..<count).filter { $0 % 2 == half }
            let other = (0..<count).filter { $0 % 2 != half }
            let fit = TemperatureScaling.fit(
                logits: other.flatMap { logits[2 * $0..<2 * $0 + 2] }, labelCount: 2, labels: other.map { labels[$0] })
            for line in own {
                let one = Predictions(
                    logits: Array(logits[2 * line..<2 * line + 2]), labelCount: 2, temperature: fit.temperature)
                confidences[line] = one.confidences[0]
                correct[line] = one.indices[0] == labels[line]
            }
        }
        let byHand = ExpectedCalibrationError(confidences: confidences, correct: correct)
        #expect(abs(crossed.value - byHand.value) < 1e-6)
    }
}
