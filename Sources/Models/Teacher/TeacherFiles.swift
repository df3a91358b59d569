import Diagnostics
import Tensors
import Text

/// Writes a teacher's directory as Transformers' `BertForSequenceClassification.from_pretrained` reads it.
public enum TeacherFiles {
    /// config.json, model.safetensors and the tokenizer's files, into a directory that exists.
    ///
    /// `.f32` and `.f16` load in Transformers; `.i8` (see `TeacherWeightsFile.write`) only here.
    public static func write(
        _ configuration: TeacherConfiguration, _ weights: TeacherWeights, as type: StoredType,
        tokenizer: LoadedTokenizer, to directory: String
    ) throws(UnderstudyError) {
        let file = try DurableFile(replacing: "\(directory)/\(ModelDirectory.configuration)")
        try file.write(Array((configuration.json(storedType: type).text + "\n").utf8))
        try file.commit()
        try TeacherWeightsFile.write(weights, as: type, to: "\(directory)/\(ModelDirectory.weights)")
        try tokenizer.write(to: directory)
    }
}
