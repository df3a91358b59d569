import Diagnostics
import Tensors
import Text

/// A student's directory: `config.json`, `model.safetensors` and its tokenizer's files.
public enum StudentFiles {
    /// - Throws: `missingInput` for a missing file, `invalidData` for an invalid one; the error names it.
    public static func load(
        directory: String, precision: RecurrencePrecision = .serving
    ) throws(UnderstudyError) -> Student {
        try ModelDirectory.check(directory)
        let path = "\(directory)/\(ModelDirectory.configuration)"
        let configuration = try StudentConfiguration(ModelConfiguration(path: path))
        let tokenizer = try TokenizerFiles.load(directory: directory)
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw UnderstudyError(
                .invalidData,
                "\"vocab_size\" is \(configuration.vocabularySize), but the tokenizer beside it has "
                    + "\(tokenizer.vocabularySize) entries; they don't belong together", at: path)
        }
        let weights = try StudentServingWeights(path: "\(directory)/\(ModelDirectory.weights)", configuration)
        return Student(
            configuration, serving: weights, features: features(configuration, tokenizer), precision: precision)
    }

    /// The line encoder of a student with this configuration and `tokenizer`.
    public static func features(_ configuration: StudentConfiguration, _ tokenizer: LoadedTokenizer) -> StudentFeatures
    {
        StudentFeatures(
            tokenizer: tokenizer.tokenizer,
            framing: StudentFeatures.Framing(
                first: tokenizer.specialTokens.classification, last: tokenizer.specialTokens.separator),
            shortcutBuckets: configuration.shortcutBuckets, maximumTokens: configuration.maximumTokens,
            unknownToken: tokenizer.specialTokens.unknown)
    }

    /// The weights in `directory` as f32, for training.
    public static func weights(
        directory: String, _ configuration: StudentConfiguration
    ) throws(UnderstudyError) -> StudentWeights {
        let file = try SafetensorsFile(path: "\(directory)/\(ModelDirectory.weights)")
        // Each tensor's shape is checked before its memory is allocated: a damaged configuration may claim any size.
        return try StudentWeights { (tensor) throws(UnderstudyError) in try file.matrix(tensor, of: configuration) }
    }

    /// Writes the three kinds of files into `directory`, which must exist (see `ModelDirectory.publish`).
    public static func write(
        _ configuration: StudentConfiguration, _ weights: StudentWeights, tokenizer: LoadedTokenizer,
        to directory: String
    ) throws(UnderstudyError) {
        let type: StoredType =
            switch configuration.precision {
            case "f16": .f16
            case "bf16": .bf16
            default: .f32
            }
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for (name, matrix, shape) in weights.named {
            // Biases are few and added to large sums, so they stay f32.
            writer.add(name, matrix, shape: shape, as: shape.count == 1 ? .f32 : type)
        }
        try writer.write(to: "\(directory)/\(ModelDirectory.weights)")
        try tokenizer.write(to: directory)
        try ModelDirectory.write(configuration.json(), to: ModelDirectory.configuration, in: directory)
    }
}
