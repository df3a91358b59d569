import Diagnostics
import Foundation
import Models
import Tensors
import Text

/// A tiny student with PyTorch's results, written by Tests/Goldens/make-student-goldens.py.
struct StudentGolden {
    let file: SafetensorsFile
    let configuration: StudentConfiguration
    let weights: StudentWeights
    var batch = StudentBatch()
    let labels: [Int32]
    let teacher: Matrix

    static let names = ["last", "max", "mean", "all", "sentence-vector", "single"]

    init(_ name: String) throws {
        let folder = Bundle.module.resourceURL?.appendingPathComponent("Goldens").path ?? "Goldens"
        file = try SafetensorsFile(path: folder + "/student-\(name).safetensors")
        let text = Array((file.metadata["config"] ?? "").utf8)
        configuration = try text.withUnsafeBytes { bytes in
            try StudentConfiguration(ModelConfiguration(json: bytes, path: "config.json"))
        }
        weights = StudentWeights(zeros: configuration)
        for (name, matrix, shape) in weights.named {
            let stored =
                shape.count == 1
                ? try file.vector(name, count: shape[0]) : try file.matrix(name, rows: shape[0], columns: shape[1])
            matrix.pointer.update(from: stored.pointer, count: stored.count)
        }
        batch.tokens = try Self.ragged(file, "ids", "offsets")
        batch.buckets = try Self.ragged(file, "buckets", "bucket_offsets")
        labels = try file.vector("labels", count: batch.count).storage.array.map { Int32($0) }
        teacher = try file.matrix("teacher", rows: batch.count, columns: configuration.labels.count)
    }

    private static func ragged(_ file: SafetensorsFile, _ ids: String, _ offsets: String) throws -> TokenBatch {
        let values = try file.vector(ids, count: file.shape(of: ids)[0]).storage.array.map { Int32($0) }
        let bounds = try file.vector(offsets, count: file.shape(of: offsets)[0]).storage.array.map { Int($0) }
        var result = TokenBatch()
        for (first, end) in zip(bounds, bounds.dropFirst()) { result.append(ids: values[first..<end]) }
        return result
    }

    func expectedLogits() throws -> [Float] {
        try file.matrix("logits", rows: batch.count, columns: configuration.labels.count).storage.array
    }
}
