import Diagnostics
import Foundation
import Models
import Tensors
import Testing
import Text

@Suite struct TeacherWeightsFileTests {
    /// A path that no other test uses; its file is removed afterwards.
    static func withPath<Result>(_ body: (String) throws -> Result) rethrows -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("teacher-\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test(arguments: [StoredType.f32, .f16, .i8])
    func whatIsWrittenReadsBack(type: StoredType) throws {
        let teacher = try TeacherGolden.teacher("gelu")
        let golden = try TeacherGolden.read("gelu")
        let logits = try Self.withPath { path in
            try TeacherWeightsFile.write(try TeacherGolden.weights("gelu"), as: type, to: path)
            let file = try TeacherWeightsFile(path: path, configuration: teacher.configuration, part: .classifier)
            return try Teacher(
                configuration: teacher.configuration, weights: file.weights, tokenizer: ByteTokenizer(), version: "x"
            ).logits(of: golden.batch)
        }
        let expected = teacher.logits(of: golden.batch)
        // The golden's own weights are f16, so that type and f32 lose nothing; a byte a weight loses about 1 %.
        let tolerance: Float = type == .i8 ? 0.15 : 0
        for (a, b) in zip(logits, expected) { #expect(abs(a - b) <= tolerance) }
        if type == .i8 { #expect(logits != expected) }
    }

    /// What stays i8 in memory computes what the same file read as f32 does.
    @Test(arguments: ["gelu", "mean"])
    func aTeacherOfBytesIsThatOfF32(name: String) throws {
        let golden = try TeacherGolden.read(name)
        let source = try TeacherGolden.directory(name)
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("teacher-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.copyItem(atPath: "\(source)/config.json", toPath: "\(directory)/config.json")
        let path = "\(directory)/model.safetensors"
        try TeacherWeightsFile.write(try TeacherGolden.weights(name), as: .i8, to: path)

        let kept = try Teacher.load(directory: directory, tokenizer: ByteTokenizer(), precision: .f32)
        let file = try TeacherWeightsFile(path: path, configuration: kept.configuration, part: .classifier)
        let single = try Teacher(
            configuration: kept.configuration, weights: file.weights, tokenizer: ByteTokenizer(), version: "x")
        let expected = single.logits(of: golden.batch)
        for (a, b) in zip(kept.logits(of: golden.batch), expected) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func oldNamesAndNoPrefixAreRead() throws {
        let teacher = try TeacherGolden.teacher("gelu")
        let golden = try TeacherGolden.read("gelu")
        let logits = try Self.withPath { path in
            var writer = SafetensorsWriter()
            for tensor in try TeacherGolden.weights("gelu").tensors {
                let name = tensor.name.replacingOccurrences(of: "bert.", with: "")
                    .replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                    .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
                writer.add(name, tensor.contents, shape: tensor.shape, as: .f32)
            }
            writer.add("cls.predictions.bias", Matrix(rows: 1, columns: 3), shape: [3], as: .f32)
            try writer.write(to: path)
            let file = try TeacherWeightsFile(path: path, configuration: teacher.configuration, part: .classifier)
            return try Teacher(
                configuration: teacher.configuration, weights: file.weights, tokenizer: ByteTokenizer(), version: "x"
            ).logits(of: golden.batch)
        }
        #expect(logits == teacher.logits(of: golden.batch))
    }

    @Test func aBaseMayLackTheHeadAndATeacherMayNot() throws {
        let teacher = try TeacherGolden.teacher("gelu")
        try Self.withPath { path in
            var writer = SafetensorsWriter()
            for tensor in try TeacherGolden.weights("gelu").tensors where !tensor.name.contains("pooler") {
                // A classifier for another number of labels is as good as none.
                let rows = tensor.name.contains("classifier") ? 3 : tensor.shape[0]
                let columns = tensor.shape.count > 1 ? tensor.shape[1] : nil
                writer.add(
                    tensor.name, Matrix(rows: columns == nil ? 1 : rows, columns: columns ?? rows),
                    shape: columns.map { [rows, $0] } ?? [rows], as: .f32)
            }
            try writer.write(to: path)
            let base = try TeacherWeightsFile(path: path, configuration: teacher.configuration, part: .base)
            #expect(base.missing == Set(try TeacherGolden.weights("gelu").headTensors.map(\.name)))
            #expect(throws: UnderstudyError.self) {
                try TeacherWeightsFile(path: path, configuration: teacher.configuration, part: .classifier)
            }
        }
    }

    @Test func anEncoderTensorThatLacksIsNamed() throws {
        let teacher = try TeacherGolden.teacher("gelu")
        let lost = "bert.encoder.layer.1.output.dense.bias"
        try Self.withPath { path in
            var writer = SafetensorsWriter()
            for tensor in try TeacherGolden.weights("gelu").tensors where tensor.name != lost {
                writer.add(tensor.name, tensor.contents, shape: tensor.shape, as: .f32)
            }
            try writer.write(to: path)
            for part in [TeacherWeightsFile.Part.base, .classifier] {
                #expect {
                    _ = try TeacherWeightsFile(path: path, configuration: teacher.configuration, part: part)
                } throws: { error in
                    guard let error = error as? UnderstudyError else { return false }
                    return error.code == .invalidData && error.message.contains(lost) && error.place == path
                }
            }
        }
    }

    /// A small file whose embeddings are wide: the attention that it lacks would take more memory than a machine has.
    @Test func matricesThatTheFileDoesNotHaveTakeNoMemory() throws {
        var configuration = TeacherConfiguration(
            vocabularySize: 1, hiddenSize: 65_536, layers: 1024, heads: 1, intermediateSize: 1, maximumLength: 2)
        configuration.labels = ["a", "b"]
        let hidden = configuration.hiddenSize
        try Self.withPath { path in
            var writer = SafetensorsWriter()
            for (name, rows) in [
                ("embeddings.word_embeddings", 1), ("embeddings.position_embeddings", 2),
                ("embeddings.token_type_embeddings", 2), ("encoder.layer.1023.intermediate.dense", 1),
            ] {
                writer.add(
                    "bert.\(name).weight", Matrix(rows: rows, columns: hidden), shape: [rows, hidden], as: .f16)
            }
            try writer.write(to: path)
            for part in [TeacherWeightsFile.Part.base, .classifier] {
                let error = #expect(throws: UnderstudyError.self) {
                    try TeacherWeightsFile(path: path, configuration: configuration, part: part)
                }
                #expect(error?.message.contains("bert.encoder.layer.0.attention.self.query.weight") == true)
            }
        }
    }

    @Test func aTokenizerWithMorePiecesThanEmbeddingsIsRefused() throws {
        #expect(throws: UnderstudyError.self) {
            try Teacher.load(
                directory: try TeacherGolden.directory("gelu"), tokenizer: ByteTokenizer(vocabularySize: 61))
        }
    }
}
