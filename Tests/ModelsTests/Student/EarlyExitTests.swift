import Glibc
import Models
import Tensors
import TestSupport
import Testing
import Text

/// Lines that leave by their n-grams, and lines that don't.
@Suite struct EarlyExitTests {
    private static let words = ["上", "下", "左", "右", "中", "外"]

    /// A student of chance over six characters. Its exit is certain of "上" (label a) and "下" (label b) alone.
    private static func write(exit: EarlyExit?, to folder: TemporaryFolder) throws {
        let vocabulary = try Vocabulary((["[PAD]", "[UNK]"] + words).map { Array($0.utf8) })
        let tokenizer = try LoadedTokenizer.characters(vocabulary, maximumLength: 64)
        var configuration = StudentConfiguration(
            version: "leaves", vocabularySize: vocabulary.count, embeddingSize: 8, hiddenSize: 16, denseSize: 8,
            pooling: [.max, .mean], labels: ["a", "b", "c"])
        configuration.shortcutBuckets = 4096
        configuration.earlyExit = exit
        configuration.calibration = Calibration(temperature: 2, deferralThreshold: 0.5)
        let weights = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: 8)
        weights.randomize(configuration, using: &generator, embeddingDeviation: 0.7)
        if exit != nil {
            for (label, word) in words.prefix(2).enumerated() {
                for bucket in NGramHasher(bits: 12).buckets(word) { weights.exit.row(Int(bucket))[label] = 6 }
            }
            weights.exitBias.pointer[2] = 0.25
        }
        try StudentFiles.write(configuration, weights, tokenizer: tokenizer, to: folder.path)
    }

    private static func logits(_ student: Student, _ lines: [String]) -> [[Float]] {
        let labels = student.labels.count
        var logits = [Float](repeating: .nan, count: lines.count * labels)
        let scorer = student.makeStudentScorer()
        // Twice: nothing of one batch may reach into the next.
        for _ in 0..<2 { logits.withUnsafeMutableBufferPointer { scorer.score(LineBatch(lines), into: $0) } }
        return (0..<lines.count).map { Array(logits[$0 * labels..<($0 + 1) * labels]) }
    }

    @Test func sureLinesAreAnsweredByTheirNGrams() throws {
        let (with, without) = (try TemporaryFolder(inMemory: false), try TemporaryFolder(inMemory: false))
        try Self.write(exit: EarlyExit(threshold: 0.8, scale: 1.5), to: with)
        try Self.write(exit: nil, to: without)
        let lines = ["左右", "上", "中外左", "", "下", "左"]
        let found = Self.logits(try StudentFiles.load(directory: with.path, precision: .f32), lines)
        let plain = Self.logits(try StudentFiles.load(directory: without.path, precision: .f32), lines)
        for (index, line) in lines.enumerated() where !["上", "下"].contains(line) {
            for (a, b) in zip(found[index], plain[index]) { #expect(abs(a - b) < 1e-5, "\(line)") }
        }
        // Four n-grams of 6 each, over √4, times the scale; the third label has a bias.
        let sum: Float = 1.5 * 24 / 2
        for (index, expected) in [(1, [sum, 0, 0.375]), (4, [0, sum, 0.375])] {
            for (a, b) in zip(found[index], expected) { #expect(abs(a - b) < 1e-2, "\(lines[index])") }
        }
    }

    @Test func theThresholdIsAConfidence() throws {
        // At temperature 2 the exit's confidence on "上" is 1 / (1 + e^(−9) + e^(−8.8)).
        let sum: Float = 1.5 * 24 / 2
        let confidence = 1 / (1 + exp(-sum / 2) + exp((0.375 - sum) / 2))
        for (threshold, leaves) in [(confidence - 1e-4, true), (confidence + 1e-4, false)] {
            let folder = try TemporaryFolder(inMemory: false)
            try Self.write(exit: EarlyExit(threshold: threshold, scale: 1.5), to: folder)
            let logits = Self.logits(try StudentFiles.load(directory: folder.path, precision: .f32), ["上"])[0]
            #expect((abs(logits[0] - sum) < 1e-2) == leaves)
        }
    }

    @Test func anExitNeedsNGrams() {
        var configuration = StudentConfiguration(
            version: "x", vocabularySize: 2, embeddingSize: 1, hiddenSize: 1, denseSize: 1, pooling: [.max],
            labels: ["a"])
        configuration.earlyExit = EarlyExit(threshold: 0.5, scale: 1)
        #expect(throws: (any Error).self) { try configuration.check() }
    }
}

extension NGramHasher {
    fileprivate func buckets(_ text: String) -> [Int32] {
        var ids: [Int32] = []
        Array(text.utf8).withUnsafeBufferPointer { append($0, to: &ids) }
        return ids
    }
}
