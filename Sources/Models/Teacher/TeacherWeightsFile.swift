import Diagnostics
import Tensors
import Text

/// Reads a teacher's weights from a `model.safetensors`, and writes them.
///
/// Names may lack the `bert.` prefix (a separately saved `BertModel`), and LayerNorms may be named `gamma` and `beta`
/// (files converted from TensorFlow). Tensors that the model doesn't use are ignored.
public struct TeacherWeightsFile: Sendable {
    /// The tensors that must be in the file.
    public enum Part: Sendable {
        /// Encoder, pooler if the configuration has one, classifier: a complete classification model.
        case classifier
        /// The encoder; pooler and classifier stay zero if they are missing or have another size.
        case base
    }

    /// Matrices by their Hugging Face names.
    typealias Quantised = [String: QuantisedMatrix]

    public let weights: TeacherWeights
    /// The matrices kept in i8 instead of being read into `weights`, where they are zero.
    let quantised: Quantised
    /// Names of the pooler's and classifier's tensors that the file lacks (only for `.base`).
    public let missing: Set<String>

    /// Reads everything as f32.
    public init(path: String, configuration: TeacherConfiguration, part: Part) throws(UnderstudyError) {
        try self.init(path: path, configuration: configuration, part: part, keepsBytes: false)
    }

    /// `keepsBytes`: word embeddings and the blocks' matrices that are stored as i8 stay i8.
    init(
        path: String, configuration: TeacherConfiguration, part: Part, keepsBytes: Bool
    ) throws(UnderstudyError) {
        let file = try SafetensorsFile(path: path)
        let probe = "embeddings.word_embeddings.weight"
        guard file.contains("bert." + probe) || file.contains(probe) else {
            throw UnderstudyError(
                .invalidData, "holds no tensor bert.\(probe); a teacher's weights must be those of a BERT model",
                at: path)
        }
        let prefixed = file.contains("bert." + probe)
        try Self.checkSizes(file, configuration, prefixed: prefixed)
        let weights = TeacherWeights(zeros: configuration)
        var missing: Set<String> = []
        var quantised: Quantised = [:]
        let kept = keepsBytes ? try Self.quantisedNames(file, configuration, prefixed: prefixed) : []
        let optional = Set(part == .base ? weights.headTensors.map(\.name) : [])
        for tensor in weights.tensors where tensor.count > 0 {
            guard let name = Self.storedName(tensor.name, prefixed: prefixed, in: file) else {
                guard optional.contains(tensor.name) else {
                    let advice =
                        tensor.name.hasPrefix("bert.encoder") || tensor.name.hasPrefix("bert.embeddings")
                        ? "config.json and the weights don't belong together"
                        : "the model can't classify yet; fine-tune it with `understudy train teacher`"
                    throw UnderstudyError(.invalidData, "holds no tensor \(tensor.name): \(advice)", at: path)
                }
                missing.insert(tensor.name)
                continue
            }
            if optional.contains(tensor.name), try file.shape(of: name) != tensor.shape {
                missing.insert(tensor.name)
                continue
            }
            if kept.contains(tensor.name) {
                quantised[tensor.name] = try file.quantised(name, rows: tensor.shape[0], columns: tensor.shape[1])
                continue
            }
            let read =
                tensor.shape.count == 1
                ? try file.vector(name, count: tensor.count)
                : try file.matrix(name, rows: tensor.shape[0], columns: tensor.shape[1])
            withExtendedLifetime(read) { tensor.pointer.update(from: read.pointer, count: tensor.count) }
        }
        self.weights = weights
        self.quantised = quantised
        self.missing = missing
    }

    /// The large matrices that are stored as i8. Query, key and value must be all i8 or none.
    private static func quantisedNames(
        _ file: SafetensorsFile, _ configuration: TeacherConfiguration, prefixed: Bool
    ) throws(UnderstudyError) -> Set<String> {
        var groups = [[TeacherWeights.wordEmbeddingsName]]
        for index in 0..<configuration.layers {
            let names = TeacherWeights.matrixNames(layer: index)
            groups += [names.queryKeyValue, [names.attentionOutput], [names.intermediate], [names.output]]
        }
        var kept: Set<String> = []
        for group in groups {
            var isQuantised = true
            for name in group {
                guard let stored = storedName(name, prefixed: prefixed, in: file) else { continue }
                if try file.storedType(of: stored) != .i8 { isQuantised = false }
            }
            if isQuantised { kept.formUnion(group) }
        }
        return kept
    }

    /// Compares the sizes that determine the weights' memory with the file, before any memory is allocated.
    private static func checkSizes(
        _ file: SafetensorsFile, _ configuration: TeacherConfiguration, prefixed: Bool
    ) throws(UnderstudyError) {
        let hidden = configuration.hiddenSize
        let embeddings = "bert.embeddings."
        var expected: [(String, [Int])] = [
            (embeddings + "word_embeddings.weight", [configuration.vocabularySize, hidden]),
            (embeddings + "position_embeddings.weight", [configuration.maximumLength, hidden]),
            (embeddings + "token_type_embeddings.weight", [configuration.typeVocabularySize, hidden]),
        ]
        for index in 0..<configuration.layers {
            let names = TeacherWeights.matrixNames(layer: index)
            expected += (names.queryKeyValue + [names.attentionOutput]).map { ($0, [hidden, hidden]) }
            expected.append((names.intermediate, [configuration.intermediateSize, hidden]))
            expected.append((names.output, [hidden, configuration.intermediateSize]))
        }
        for (name, shape) in expected {
            guard let stored = storedName(name, prefixed: prefixed, in: file) else {
                throw UnderstudyError(
                    .invalidData, "holds no tensor \(name): config.json and the weights don't belong together",
                    at: file.path)
            }
            let found = try file.shape(of: stored)
            guard found == shape else {
                throw UnderstudyError(
                    .invalidData,
                    "tensor \(stored) is \(found), but config.json asks for \(shape); they don't belong together",
                    at: file.path)
            }
        }
    }

    private static func storedName(_ name: String, prefixed: Bool, in file: SafetensorsFile) -> String? {
        var candidate = name
        if !prefixed, candidate.hasPrefix("bert.") { candidate.removeFirst("bert.".count) }
        if file.contains(candidate) { return candidate }
        for (suffix, old) in [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]
        where candidate.hasSuffix(suffix) {
            let renamed = candidate.dropLast(suffix.count) + old
            if file.contains(String(renamed)) { return String(renamed) }
        }
        return nil
    }

    /// Writes `weights` under Hugging Face's names.
    ///
    /// `.f32` and `.f16` load in Transformers. `.i8` stores every matrix as one signed byte per weight and one f32 factor
    /// per row (`<name>.scale`), vectors as f32; only this program reads that.
    public static func write(_ weights: TeacherWeights, as type: StoredType, to path: String) throws(UnderstudyError) {
        // Transformers requires `format` in a safetensors file.
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for tensor in weights.tensors where tensor.count > 0 {
            let stored: StoredType = type == .i8 && tensor.shape.count == 1 ? .f32 : type
            writer.add(tensor.name, tensor.contents, shape: tensor.shape, as: stored)
        }
        try writer.write(to: path)
    }
}

/// Writes a teacher's directory in the form that Transformers' `BertForSequenceClassification.from_pretrained` reads.
public enum TeacherFiles {
    /// Writes config.json, model.safetensors and the tokenizer's files into an existing directory.
    ///
    /// `.f32` and `.f16` load in Transformers; `.i8` (see `TeacherWeightsFile.write`) only in this program.
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
