import Diagnostics
import Foundation
import Models
import Testing
import Text

/// One case of Goldens/teacher: a directory as Transformers wrote it, lines of token ids, and PyTorch's logits.
struct TeacherGolden: Decodable {
    let lines: [[Int32]]
    let logits: [[Float]]

    static let names = ["gelu", "gelu-new", "relu-512", "one-line-f32", "mean"]

    static func directory(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL)
        return folder.appendingPathComponent("Goldens/teacher/\(name)").path
    }

    static func read(_ name: String) throws -> TeacherGolden {
        let data = try Data(contentsOf: URL(fileURLWithPath: try directory(name) + "/expected.json"))
        return try JSONDecoder().decode(TeacherGolden.self, from: data)
    }

    static func teacher(_ name: String, precision: TeacherPrecision = .f32) throws -> Teacher {
        try Teacher.load(directory: try directory(name), tokenizer: ByteTokenizer(), precision: precision)
    }

    /// The weights in f32.
    static func weights(_ name: String) throws -> TeacherWeights {
        let directory = try directory(name)
        return try TeacherWeightsFile(
            path: "\(directory)/model.safetensors",
            configuration: try TeacherConfiguration(path: "\(directory)/config.json"), part: .classifier
        ).weights
    }

    var batch: TokenBatch {
        var batch = TokenBatch()
        for line in lines { batch.append(ids: line) }
        return batch
    }
}

/// A tokenizer for tests: [CLS] = 1, one id a byte, [SEP] = 2.
struct ByteTokenizer: Tokenizer {
    var vocabularySize = 20

    func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {
        ids.append(1)
        for byte in line.prefix(max(maximumLength - 2, 0)) { ids.append(3 + Int32(byte) % Int32(vocabularySize - 3)) }
        ids.append(2)
    }
}
