import Bytes
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

    typealias Quantised = [TeacherMatrix: QuantisedMatrix]

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
        let probe = TeacherMatrix.Outer.wordEmbeddings.name
        let prefixed = file.contains(probe)
        guard prefixed || Self.storedName(probe, prefixed: false, in: file) != nil else {
            throw UnderstudyError(
                .invalidData, "holds no tensor \(probe); a teacher's weights must be those of a BERT model", at: path)
        }
        try Self.checkSizes(file, configuration, prefixed: prefixed)
        let weights = TeacherWeights(zeros: configuration)
        var missing: Set<String> = []
        var quantised: [TeacherMatrix: [QuantisedMatrix]] = [:]
        let kept = keepsBytes ? try Self.quantisedMatrices(file, configuration, prefixed: prefixed) : []
        for tensor in weights.tensors where tensor.count > 0 {
            let isHead = tensor.form.matrix.part.isHead
            let isOptional = part == .base && isHead
            guard let name = Self.storedName(tensor.name, prefixed: prefixed, in: file) else {
                guard isOptional else {
                    let advice =
                        isHead
                        ? "the model can't classify yet; fine-tune it with `understudy train teacher`"
                        : "config.json and the weights don't belong together"
                    throw UnderstudyError(.invalidData, "holds no tensor \(tensor.name): \(advice)", at: path)
                }
                missing.insert(tensor.name)
                continue
            }
            if isOptional, try file.shape(of: name) != tensor.shape {
                missing.insert(tensor.name)
                continue
            }
            if kept.contains(tensor.form.matrix) {
                quantised[tensor.form.matrix, default: []].append(
                    try file.quantised(name, rows: tensor.shape[0], columns: tensor.shape[1]))
                continue
            }
            let read =
                tensor.shape.count == 1
                ? try file.vector(name, count: tensor.count)
                : try file.matrix(name, rows: tensor.shape[0], columns: tensor.shape[1])
            withExtendedLifetime(read) { tensor.pointer.update(from: read.pointer, count: tensor.count) }
        }
        self.weights = weights
        self.quantised = quantised.mapValues { $0.count == 1 ? $0[0] : QuantisedMatrix(stacking: $0) }
        self.missing = missing
    }

    /// The large matrices that are stored as i8. Query, key and value must be all i8 or none.
    private static func quantisedMatrices(
        _ file: SafetensorsFile, _ configuration: TeacherConfiguration, prefixed: Bool
    ) throws(UnderstudyError) -> Set<TeacherMatrix> {
        var kept: Set<TeacherMatrix> = []
        var others: Set<TeacherMatrix> = []
        for form in configuration.tensorForms where form.matrix.isLarge {
            kept.insert(form.matrix)
            guard let stored = storedName(form.name, prefixed: prefixed, in: file) else { continue }
            if try file.storedType(of: stored) != .i8 { others.insert(form.matrix) }
        }
        return kept.subtracting(others)
    }

    /// Compares the sizes that determine the weights' memory with the file, before any memory is allocated.
    private static func checkSizes(
        _ file: SafetensorsFile, _ configuration: TeacherConfiguration, prefixed: Bool
    ) throws(UnderstudyError) {
        for form in configuration.tensorForms where form.shape.count == 2 && !form.matrix.part.isHead {
            guard let stored = storedName(form.name, prefixed: prefixed, in: file) else {
                throw UnderstudyError(
                    .invalidData, "holds no tensor \(form.name): config.json and the weights don't belong together",
                    at: file.path)
            }
            let found = try file.shape(of: stored)
            guard found == form.shape else {
                throw UnderstudyError(
                    .invalidData,
                    "tensor \(stored) is \(found), but config.json requires \(form.shape); they don't belong together",
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
        try file.write(Array((configuration.json(storedType: type).written() + "\n").utf8))
        try file.commit()
        try TeacherWeightsFile.write(weights, as: type, to: "\(directory)/\(ModelDirectory.weights)")
        try tokenizer.write(to: directory)
    }
}
