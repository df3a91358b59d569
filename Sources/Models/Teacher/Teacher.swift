import CKernels
import Diagnostics
import Tensors
import Text

/// A BERT encoder with a classification head, for inference.
///
/// The lines of a batch are stored end to end, so padding takes no work: dense layers run over all tokens at once,
/// attention line by line. If the head reads only the first token, the last layer computes nothing else.
public final class Teacher: CalibratedClassifier {
    public let configuration: TeacherConfiguration
    public let version: String
    /// The arithmetic of the dense layers.
    public let precision: TeacherPrecision
    let tokenizer: any Tokenizer
    let weights: TeacherServingWeights

    public var labels: [String] { configuration.labels }
    public var temperature: Float { configuration.temperature }
    /// A teacher never defers.
    public var deferralThreshold: Float? { nil }

    /// Shares the matrices of `weights`, which must not change while the teacher is in use.
    public convenience init(
        configuration: TeacherConfiguration, weights: TeacherWeights, tokenizer: any Tokenizer, version: String,
        precision: TeacherPrecision = .f32
    ) throws(UnderstudyError) {
        try self.init(
            configuration: configuration, serving: TeacherServingWeights(weights, precision: precision),
            tokenizer: tokenizer, version: version, precision: precision)
    }

    private init(
        configuration: TeacherConfiguration, serving weights: TeacherServingWeights, tokenizer: any Tokenizer,
        version: String, precision: TeacherPrecision
    ) throws(UnderstudyError) {
        guard !configuration.labels.isEmpty else {
            throw UnderstudyError(.invalidData, "the teacher has no labels; config.json must hold an id2label")
        }
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw UnderstudyError(
                .invalidData,
                "the tokenizer has \(tokenizer.vocabularySize) entries, but the model only "
                    + "\(configuration.vocabularySize) embeddings; they don't belong together")
        }
        self.configuration = configuration
        self.weights = weights
        self.tokenizer = tokenizer
        self.version = version
        self.precision = precision
    }

    /// Reads `config.json` and `model.safetensors` in `directory`, a Hugging Face BertForSequenceClassification.
    ///
    /// Weights stored as i8 stay i8 in memory.
    public static func load(
        directory: String, tokenizer: any Tokenizer, precision: TeacherPrecision = .serving
    ) throws(UnderstudyError) -> Teacher {
        let configuration = try TeacherConfiguration(path: directory + "/config.json")
        let path = directory + "/model.safetensors"
        guard !configuration.labels.isEmpty else {
            throw UnderstudyError(
                .invalidData,
                "has no id2label, so it is a base and not a teacher yet; fine-tune it with `understudy train teacher`",
                at: directory + "/config.json")
        }
        let file = try TeacherWeightsFile(path: path, configuration: configuration, part: .classifier, keepsBytes: true)
        var name = Substring(directory)
        while name.count > 1, name.last == "/" { name.removeLast() }
        do {
            return try Teacher(
                configuration: configuration,
                serving: TeacherServingWeights(file.weights, quantised: file.quantised, precision: precision),
                tokenizer: tokenizer, version: String(name.split(separator: "/").last ?? name), precision: precision)
        } catch {
            throw error.placed(at: directory)
        }
    }

    public func makeScorer() -> any LineScorer { makeScorer(threads: 1) }

    /// A scorer that splits each batch over `threads` threads; it may be used by one thread at a time.
    public func makeScorer(threads: Int) -> TeacherScorer { TeacherScorer(self, threads: threads) }

    /// Logits (tokens.count, labels), row-major, of lines that are already tokenised.
    ///
    /// Ids must be within the vocabulary and lines within `configuration.maximumLength`.
    public func logits(of tokens: TokenBatch, threads: Int = 1) -> [Float] {
        let scorer = makeScorer(threads: threads)
        return [Float](unsafeUninitializedCapacity: tokens.count * labels.count) { logits, count in
            scorer.score(tokens, into: logits)
            count = tokens.count * labels.count
        }
    }
}
