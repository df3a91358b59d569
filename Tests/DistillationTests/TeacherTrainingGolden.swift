import Diagnostics
import Distillation
import Foundation
import Models
import Tensors
import Testing

/// One case of Goldens/teacher: a model as Transformers wrote it, a batch, and what PyTorch makes of it.
struct TeacherTrainingGolden: Decodable {
    let lines: [[Int32]]
    let targets: [Int]
    let smoothing: Float
    let losses: [Double]
    let norms: [Float]
    let rate: Float
    let warmUpSteps: Int

    enum CodingKeys: String, CodingKey {
        case lines, targets, smoothing, losses, norms, rate
        case warmUpSteps = "warm-up steps"
    }

    static let names = ["gelu", "gelu-new-smoothed", "relu"]

    static func directory(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL)
        return folder.appendingPathComponent("Goldens/teacher/\(name)").path
    }

    static func read(_ name: String) throws -> TeacherTrainingGolden {
        let data = try Data(contentsOf: URL(fileURLWithPath: try directory(name) + "/expected.json"))
        return try JSONDecoder().decode(TeacherTrainingGolden.self, from: data)
    }

    /// A trainer of the case's model with its own copy of the weights.
    static func trainer(
        _ name: String, pooling: TeacherConfiguration.Pooling = .cls, _ change: (inout TeacherTrainingOptions) -> Void
    ) throws -> TeacherTrainer {
        var configuration = try TeacherConfiguration(path: try directory(name) + "/config.json")
        configuration.pooling = pooling
        let file = try TeacherWeightsFile(
            path: try directory(name) + "/model.safetensors", configuration: configuration, part: .classifier)
        var options = TeacherTrainingOptions()
        options.layers = configuration.layers
        options.labelSmoothing = try read(name).smoothing
        change(&options)
        return try TeacherTrainer(configuration: configuration, weights: file.weights, options: options)
    }

    var set: TeacherTrainingSet {
        var set = TeacherTrainingSet()
        for (line, target) in zip(lines, targets) { set.append(ids: line, label: target) }
        return set
    }
}
