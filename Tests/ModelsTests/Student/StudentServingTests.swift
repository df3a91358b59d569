import Diagnostics
import Dispatch
import Models
import Tensors
import TestSupport
import Testing
import Text

/// A student as it is loaded to classify: tables in the bits they are stored in, projections made when tokens are met.
@Suite struct StudentServingTests {
    /// Writes a random student with an invented vocabulary of 600 pieces.
    private static func write(precision: String, to folder: TemporaryFolder) throws {
        let entries = ["[PAD]", "[UNK]"] + (0..<598).map { String(UnicodeScalar(0x4e00 + $0) ?? "x") }
        let vocabulary = try Vocabulary(entries.map { Array($0.utf8) })
        let tokenizer = try LoadedTokenizer.characters(vocabulary, maximumLength: 64)
        var configuration = StudentConfiguration(
            version: "served", vocabularySize: vocabulary.count, embeddingSize: 24, hiddenSize: 20, denseSize: 12,
            pooling: [.max, .mean], labels: ["a", "b", "c"])
        configuration.shortcutBuckets = 256
        configuration.precision = precision
        let weights = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: 5)
        weights.randomize(configuration, using: &generator, embeddingDeviation: 0.7)
        for index in 0..<weights.shortcut.count { weights.shortcut.pointer[index] = Float(index % 13) / 7 - 0.8 }
        try StudentFiles.write(configuration, weights, tokenizer: tokenizer, to: folder.path)
    }

    private static func batch(lines: Int, seed: UInt64) -> StudentBatch {
        var generator = SeededGenerator(seed: seed)
        var batch = StudentBatch()
        for _ in 0..<lines {
            batch.tokens.append { ids in
                for _ in 0..<generator.next(below: 20) { ids.append(Int32(generator.next(below: 600))) }
            }
            batch.buckets.append { ids in
                for _ in 0..<generator.next(below: 30) { ids.append(Int32(generator.next(below: 256))) }
            }
        }
        return batch
    }

    private static func logits(_ student: Student, _ batch: StudentBatch) -> [Float] {
        var logits = [Float](repeating: .nan, count: batch.count * student.labels.count)
        logits.withUnsafeMutableBufferPointer { student.makeStudentScorer().score(batch, into: $0) }
        return logits
    }

    @Test(arguments: ["f32", "f16", "bf16"])
    func whatIsServedAgreesWithTheReferenceOverAllWeights(precision: String) throws {
        let folder = try TemporaryFolder(inMemory: false)
        try Self.write(precision: precision, to: folder)
        let student = try StudentFiles.load(directory: folder.path, precision: .f32)
        let weights = try StudentFiles.weights(directory: folder.path, student.configuration)
        let batch = Self.batch(lines: 150, seed: 1)
        let pass = StudentPass(student.configuration)
        let expected = pass.forward(weights, batch)
        withExtendedLifetime(pass) {
            for (index, value) in Self.logits(student, batch).enumerated() {
                #expect(abs(value - expected[index]) < 2e-3)
            }
        }
    }

    /// Before any memory is taken: the weights that are asked for here are larger than that of any machine.
    @Test func sizesThatTheFileDoesNotHaveAreRefused() throws {
        let folder = try TemporaryFolder(inMemory: false)
        try Self.write(precision: "f16", to: folder)
        let configuration = try StudentFiles.load(directory: folder.path).configuration
        var claims = [StudentConfiguration](repeating: configuration, count: 4)
        (claims[0].vocabularySize, claims[0].embeddingSize) = (4_000_000, 4096)
        (claims[1].denseSize, claims[1].hiddenSize) = (65_536, 4096)
        claims[2].labels = (0..<100_000).map { "label \($0)" }
        claims[2].shortcutBuckets = 1 << 26
        (claims[3].shortcutBuckets, claims[3].earlyExit) = (1 << 26, EarlyExit(threshold: 0.9, scale: 1))
        for claim in claims {
            let error = #expect(throws: UnderstudyError.self) {
                try StudentFiles.weights(directory: folder.path, claim)
            }
            #expect(error?.code == .invalidData)
        }
    }

    @Test func threadsThatMeetTokensAtTheSameTimeSeeTheSame() throws {
        let folder = try TemporaryFolder(inMemory: false)
        try Self.write(precision: "f16", to: folder)
        let batch = Self.batch(lines: 100, seed: 2)
        let expected = Self.logits(try StudentFiles.load(directory: folder.path, precision: .f32), batch)
        let student = try StudentFiles.load(directory: folder.path, precision: .f32)
        // Each thread has a place of its own.
        nonisolated(unsafe) let results = UnsafeMutableBufferPointer<[Float]>.allocate(capacity: 8)
        results.initialize(repeating: [])
        defer {
            results.deinitialize()
            results.deallocate()
        }
        DispatchQueue.concurrentPerform(iterations: results.count) { results[$0] = Self.logits(student, batch) }
        // Another test may change the instruction set meanwhile, and with it the last bits.
        for result in results {
            for (value, wanted) in zip(result, expected) { #expect(abs(value - wanted) < 2e-3) }
        }
    }
}
