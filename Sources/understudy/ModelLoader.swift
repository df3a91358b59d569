import Diagnostics
import Models
import Text

/// Loads a model directory of any kind.
enum ModelLoader {
    /// - Throws: `missingInput` for a missing file; `invalidData` for an invalid file or an unknown kind of model.
    static func load(directory: String) throws(UnderstudyError) -> any LineClassifier {
        try ModelDirectory.check(directory)
        let json = try ModelConfiguration(path: "\(directory)/\(ModelDirectory.configuration)")
        switch try json.optionalString("model_type") {
        case StudentConfiguration.modelType: return try StudentFiles.load(directory: directory)
        case "bert": return try teacher(directory: directory).teacher
        case let other:
            throw json.wrong(
                "model_type",
                "\"\(other ?? "")\" isn't supported: \"bert\" and "
                    + "\"\(StudentConfiguration.modelType)\" are")
        }
    }

    static func teacher(directory: String) throws(UnderstudyError) -> (teacher: Teacher, tokenizer: LoadedTokenizer) {
        try ModelDirectory.check(directory)
        let tokenizer = try TokenizerFiles.load(directory: directory)
        return (try Teacher.load(directory: directory, tokenizer: tokenizer.tokenizer), tokenizer)
    }
}
