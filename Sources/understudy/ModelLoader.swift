import Diagnostics
import Foundation
import Models

/// Loads whatever kind of model a directory holds.
enum ModelLoader {
    private struct Config: Decodable {
        let modelType: String

        enum CodingKeys: String, CodingKey {
            case modelType = "model_type"
        }
    }

    /// - Throws: `missingInput` where the directory has no readable `config.json`; `invalidData` where that names a
    ///   kind of model that isn't known.
    static func load(directory: String) throws(UnderstudyError) -> any LineClassifier {
        let path = URL(fileURLWithPath: directory).appendingPathComponent("config.json").path
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw UnderstudyError(.missingInput, "can't be read; a model directory has this file", at: path)
        }
        guard let config = try? JSONDecoder().decode(Config.self, from: bytes) else {
            throw UnderstudyError(.invalidData, "isn't a JSON object with a \"model_type\"", at: path)
        }
        throw UnderstudyError(
            .invalidData, "the model_type \"\(config.modelType)\" isn't one that this program knows", at: path)
    }
}
