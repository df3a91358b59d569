import Diagnostics
import Foundation

/// What `config.json` says about a BERT classifier (Hugging Face's names in parentheses).
public struct TeacherConfiguration: Sendable, Equatable {
    /// The activation between the two dense layers of a block (`hidden_act`).
    public enum Activation: String, Sendable, CaseIterable {
        case gelu
        case geluNew = "gelu_new"
        case geluTanh = "gelu_pytorch_tanh"
        case relu
    }

    /// What of the last layer the classifier sees (`classifier_pooling`).
    public enum Pooling: String, Sendable, CaseIterable {
        /// The pooler, tanh(dense), on the first token: what `BertForSequenceClassification` does.
        case cls
        /// The mean over the line's tokens, special ones included, straight into the classifier.
        case mean
    }

    /// (`vocab_size`)
    public var vocabularySize: Int
    /// (`hidden_size`)
    public var hiddenSize: Int
    /// (`num_hidden_layers`)
    public var layers: Int
    /// (`num_attention_heads`)
    public var heads: Int
    /// (`intermediate_size`)
    public var intermediateSize: Int
    /// (`hidden_act`)
    public var activation: Activation = .gelu
    /// The most tokens in a line (`max_position_embeddings`).
    public var maximumLength: Int = 512
    /// (`type_vocab_size`); every token is of type 0.
    public var typeVocabularySize: Int = 2
    /// (`layer_norm_eps`)
    public var layerNormEpsilon: Float = 1e-12
    /// (`hidden_dropout_prob`); training only.
    public var hiddenDropout: Float = 0.1
    /// (`attention_probs_dropout_prob`); training only.
    public var attentionDropout: Float = 0.1
    /// Before the classifier (`classifier_dropout`, the hidden one where null); training only.
    public var classifierDropout: Float = 0.1
    /// Standard deviation of weights that start at random (`initializer_range`).
    public var initializerRange: Float = 0.02
    /// (`classifier_pooling`)
    public var pooling: Pooling = .cls
    /// Label names in the order of the logits (`id2label`).
    public var labels: [String] = []

    /// The width of one attention head.
    public var headWidth: Int { hiddenSize / heads }

    public init(
        vocabularySize: Int, hiddenSize: Int, layers: Int, heads: Int, intermediateSize: Int,
        maximumLength: Int = 512, typeVocabularySize: Int = 2, labels: [String] = []
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.heads = heads
        self.intermediateSize = intermediateSize
        self.maximumLength = maximumLength
        self.typeVocabularySize = typeVocabularySize
        self.labels = labels
    }

    /// Reads and checks a `config.json`.
    public init(path: String) throws(UnderstudyError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw UnderstudyError(
                .missingInput, "can't be read; a model directory needs a config.json", at: path)
        }
        do {
            try self.init(json: data)
        } catch {
            throw error.placed(at: path)
        }
    }

    /// Reads and checks the bytes of a `config.json`.
    public init(json data: Data) throws(UnderstudyError) {
        guard let parsed = try? JSONSerialization.jsonObject(with: data), let object = parsed as? [String: Any] else {
            throw UnderstudyError(.invalidData, "is not a JSON object")
        }
        let fields = TeacherConfigurationFields(object: object)
        if let kind = object["model_type"] as? String, kind != "bert" {
            throw UnderstudyError(.invalidData, "model_type is \"\(kind)\"; a teacher must be a \"bert\" model")
        }
        if let positions = object["position_embedding_type"] as? String, positions != "absolute" {
            throw UnderstudyError(
                .invalidData, "position_embedding_type is \"\(positions)\"; only \"absolute\" is supported")
        }
        if object["is_decoder"] as? Bool == true {
            throw UnderstudyError(.invalidData, "is_decoder is true; a teacher must be an encoder")
        }
        let limit = 1 << 24
        vocabularySize = try fields.integer("vocab_size", 1...limit)
        hiddenSize = try fields.integer("hidden_size", 1...65_536)
        layers = try fields.integer("num_hidden_layers", 1...1024)
        heads = try fields.integer("num_attention_heads", 1...65_536)
        intermediateSize = try fields.integer("intermediate_size", 1...262_144)
        maximumLength = try fields.integer("max_position_embeddings", 2...65_536, default: 512)
        typeVocabularySize = try fields.integer("type_vocab_size", 1...65_536, default: 2)
        guard hiddenSize % heads == 0 else {
            throw UnderstudyError(
                .invalidData, "hidden_size \(hiddenSize) is not a multiple of num_attention_heads \(heads)")
        }
        activation = try fields.name("hidden_act", default: .gelu)
        pooling = try fields.name("classifier_pooling", default: .cls)
        layerNormEpsilon = try fields.number("layer_norm_eps", 0...1, default: 1e-12)
        hiddenDropout = try fields.number("hidden_dropout_prob", 0...0.999, default: 0.1)
        attentionDropout = try fields.number("attention_probs_dropout_prob", 0...0.999, default: 0.1)
        classifierDropout = try fields.number("classifier_dropout", 0...0.999, default: hiddenDropout)
        initializerRange = try fields.number("initializer_range", 0...100, default: 0.02)
        labels = try fields.labels()
    }

    /// The `config.json` that Transformers' `BertForSequenceClassification.from_pretrained` reads.
    ///
    /// `kept` holds the base's own fields; those that this type knows are written over them.
    public func json(keeping kept: [String: Any] = [:], storedType: String = "float32") throws(UnderstudyError) -> Data
    {
        var object = kept
        object["model_type"] = "bert"
        object["architectures"] = ["BertForSequenceClassification"]
        object["vocab_size"] = vocabularySize
        object["hidden_size"] = hiddenSize
        object["num_hidden_layers"] = layers
        object["num_attention_heads"] = heads
        object["intermediate_size"] = intermediateSize
        object["hidden_act"] = activation.rawValue
        object["max_position_embeddings"] = maximumLength
        object["type_vocab_size"] = typeVocabularySize
        object["position_embedding_type"] = "absolute"
        object["layer_norm_eps"] = Self.decimal(layerNormEpsilon)
        object["hidden_dropout_prob"] = Self.decimal(hiddenDropout)
        object["attention_probs_dropout_prob"] = Self.decimal(attentionDropout)
        object["classifier_dropout"] =
            classifierDropout == hiddenDropout ? NSNull() : Self.decimal(classifierDropout)
        object["initializer_range"] = Self.decimal(initializerRange)
        object["classifier_pooling"] = pooling == .cls ? nil : pooling.rawValue
        object["id2label"] = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ("\($0.offset)", $0.element) })
        object["label2id"] = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($0.element, $0.offset) })
        object["problem_type"] = "single_label_classification"
        // The field's name before Transformers 5, and since.
        object["torch_dtype"] = storedType
        object["dtype"] = storedType
        do {
            var data = try JSONSerialization.data(
                withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            data.append(UInt8(ascii: "\n"))
            return data
        } catch {
            throw UnderstudyError(.internalFailure, "the teacher's config.json can't be written as JSON: \(error)")
        }
    }

    /// The Double with f32's shortest decimal, so that 0.1 is written as 0.1.
    private static func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
}
