import CKernels
import Models
import Tensors
import Testing
import Text

@Suite struct StudentPassTests {
    @Test(arguments: StudentGolden.names) func logitsEqualPyTorch(name: String) throws {
        let golden = try StudentGolden(name)
        let pass = StudentPass(golden.configuration)
        let logits = pass.forward(golden.weights, golden.batch)
        for (index, expected) in try golden.expectedLogits().enumerated() {
            #expect(abs(logits[index] - expected) < 1e-4, "logit \(index) of \(name)")
        }
    }

    @Test func aLineScoresTheSameAloneAndInABatch() throws {
        let golden = try StudentGolden("all")
        let pass = StudentPass(golden.configuration)
        let expected = try golden.expectedLogits()
        let classes = golden.configuration.labels.count
        for line in 0..<golden.batch.count {
            var alone = StudentBatch()
            for (source, append) in [(golden.batch.tokens, true), (golden.batch.buckets, false)] {
                let ids = source.ids[Int(source.offsets[line])..<Int(source.offsets[line + 1])]
                if append { alone.tokens.append(ids: ids) } else { alone.buckets.append(ids: ids) }
            }
            let logits = pass.forward(golden.weights, alone)
            for label in 0..<classes { #expect(abs(logits[label] - expected[line * classes + label]) < 1e-4) }
        }
    }

    @Test func dropoutKeepsTheExpectedValue() throws {
        let golden = try StudentGolden("mean")
        let pass = StudentPass(golden.configuration)
        var generator = SeededGenerator(seed: 3)
        // The shortcut is linear in its mask, so the mean over many masks approaches the undropped logits.
        let plain = try golden.expectedLogits()
        var sums = [Double](repeating: 0, count: plain.count)
        let rounds = 4000
        for _ in 0..<rounds {
            let logits = pass.forward(
                golden.weights, golden.batch, dropout: StudentPass.Dropout(shortcut: 0.3), generator: &generator)
            for index in sums.indices { sums[index] += Double(logits[index]) }
        }
        for (index, value) in plain.enumerated() {
            #expect(abs(sums[index] / Double(rounds) - Double(value)) < 0.05)
        }
    }

    @Test func theFastPathAgreesOnEveryInstructionSet() throws {
        defer { us_force_level(us_best_level()) }
        for level in [US_PORTABLE, US_AVX2, US_AVXVNNI, US_AVX512] {
            us_force_level(Int32(level.rawValue))
            for name in StudentGolden.names {
                for precision in RecurrencePrecision.allCases {
                    try expectFastPath(
                        try StudentGolden(name), precision: precision, tolerance: precision == .f32 ? 0.01 : 0.05)
                }
            }
        }
    }

    private func expectFastPath(_ golden: StudentGolden, precision: RecurrencePrecision, tolerance: Float) throws {
        let features = StudentFeatures(
            tokenizer: NoTokenizer(), shortcutBuckets: 0, maximumTokens: 1)
        let student = Student(golden.configuration, weights: golden.weights, features: features, precision: precision)
        var logits = [Float](repeating: .nan, count: golden.batch.count * student.labels.count)
        let scorer = student.makeStudentScorer()
        logits.withUnsafeMutableBufferPointer { scorer.score(golden.batch, into: $0) }
        for (value, expected) in zip(logits, try golden.expectedLogits()) {
            #expect(abs(value - expected) < tolerance * max(1, abs(expected)), "\(golden.configuration.version)")
        }
    }

    @Test func theFastPathAgreesOnRandomStudents() throws {
        for seed in 0..<12 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var configuration = StudentConfiguration(
                version: "random", vocabularySize: 50, embeddingSize: 1 + generator.next(below: 40),
                hiddenSize: 1 + generator.next(below: 70), denseSize: 1 + generator.next(below: 30),
                pooling: [[.max], [.last, .max], [.mean, .last], [.max, .mean, .last]][generator.next(below: 4)],
                labels: (0..<(1 + generator.next(below: 9))).map { "l\($0)" })
            configuration.shortcutBuckets = seed % 2 == 0 ? 0 : 256
            let weights = StudentWeights(zeros: configuration)
            weights.randomize(configuration, using: &generator, embeddingDeviation: 0.7)
            var batch = StudentBatch()
            // More lines than a lockstep block holds, of all lengths.
            for _ in 0..<(1 + generator.next(below: 120)) {
                batch.tokens.append { ids in
                    for _ in 0..<generator.next(below: 40) { ids.append(Int32(generator.next(below: 50))) }
                }
                batch.buckets.append { ids in
                    guard configuration.shortcutBuckets > 0 else { return }
                    for _ in 0..<generator.next(below: 20) { ids.append(Int32(generator.next(below: 256))) }
                }
            }
            let pass = StudentPass(configuration)
            let expected = pass.forward(weights, batch)
            let features = StudentFeatures(
                tokenizer: NoTokenizer(), shortcutBuckets: 0, maximumTokens: 1)
            let student = Student(configuration, weights: weights, features: features, precision: .f32)
            var logits = [Float](repeating: .nan, count: batch.count * student.labels.count)
            logits.withUnsafeMutableBufferPointer { student.makeStudentScorer().score(batch, into: $0) }
            for index in logits.indices { #expect(abs(logits[index] - expected[index]) < 2e-3) }
        }
    }
}

/// Stands in where lines come as ids already.
struct NoTokenizer: Tokenizer {
    let vocabularySize = 1

    func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {}
}
