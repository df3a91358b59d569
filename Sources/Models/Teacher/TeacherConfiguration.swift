import Bytes
import CKernels
import Diagnostics
import Tensors

/// The `config.json` of a BERT classifier (Hugging Face's names in parentheses).
public struct TeacherConfiguration: Sendable, Equatable {
    /// The activation between the two dense layers of a block (`hidden_act`).
    public enum Activation: String, Sendable, CaseIterable {
        case gelu
        case geluNew = "gelu_new"
        case geluTanh = "gelu_pytorch_tanh"
        case relu
    }

    /// The part of the last layer that is the classifier's input (`classifier_pooling`).
    public enum Pooling: String, Sendable, CaseIterable {
        /// The pooler, tanh(dense), on the first token, as in `BertForSequenceClassification`.
        case cls
        /// The mean over the line's tokens, special ones included, without a pooler.
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
    /// Maximum number of tokens in a line (`max_position_embeddings`).
    public var maximumLength: Int = 512
    /// (`type_vocab_size`); every token is of type 0.
    public var typeVocabularySize: Int = 2
    /// (`layer_norm_eps`)
    public var layerNormEpsilon: Float = 1e-12
    /// (`hidden_dropout_prob`); training only.
    public var hiddenDropout: Float = 0.1
    /// (`attention_probs_dropout_prob`); training only.
    public var attentionDropout: Float = 0.1
    /// Before the classifier (`classifier_dropout`; if null, the hidden one); training only.
    public var classifierDropout: Float = 0.1
    /// Standard deviation of randomly initialised weights (`initializer_range`).
    public var initializerRange: Float = 0.02
    /// (`classifier_pooling`)
    public var pooling: Pooling = .cls
    /// Label names in the order of the logits (`id2label`).
    public var labels: [String] = []
    /// Logits are divided by this before the softmax; fitted on validation lines (`calibration.temperature`, our own).
    public var temperature: Float = 1
    /// The padding token (`pad_token_id`): unused here, but Transformers pads.
    public var paddingToken: Int?

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
        try self.init(try ModelConfiguration(path: path))
    }

    /// Checks a parsed configuration.
    ///
    /// Without `id2label` the labels are `LABEL_0` … in the number given by `num_labels`, or none.
    public init(_ file: ModelConfiguration) throws(UnderstudyError) {
        if let kind = try file.optionalString("model_type"), kind != "bert" {
            throw file.wrong("model_type", "it is \(Quoting.name(kind)), but a teacher must be a \"bert\" model")
        }
        if let positions = try file.optionalString("position_embedding_type"), positions != "absolute" {
            throw file.wrong(
                "position_embedding_type", "it is \(Quoting.name(positions)); only \"absolute\" is supported")
        }
        if try file.optionalBoolean("is_decoder") == true {
            throw file.wrong("is_decoder", "it is true, but a teacher must be an encoder")
        }
        vocabularySize = try file.integer("vocab_size", in: 1...1 << 24)
        hiddenSize = try file.integer("hidden_size", in: 1...1 << 16)
        layers = try file.integer("num_hidden_layers", in: 1...1024)
        heads = try file.integer("num_attention_heads", in: 1...1 << 16)
        intermediateSize = try file.integer("intermediate_size", in: 1...1 << 18)
        maximumLength = try file.optionalInteger("max_position_embeddings", in: 2...1 << 16) ?? 512
        typeVocabularySize = try file.optionalInteger("type_vocab_size", in: 1...1 << 16) ?? 2
        guard hiddenSize % heads == 0 else {
            throw file.wrong(
                "num_attention_heads", "it is \(heads), which doesn't divide the hidden_size \(hiddenSize)")
        }
        activation = try file.optionalChoice("hidden_act") ?? .gelu
        pooling = try file.optionalChoice("classifier_pooling") ?? .cls
        layerNormEpsilon = Float(try file.optionalDouble("layer_norm_eps", in: 0...1) ?? 1e-12)
        hiddenDropout = Float(try file.optionalDouble("hidden_dropout_prob", in: 0...0.999) ?? 0.1)
        attentionDropout = Float(try file.optionalDouble("attention_probs_dropout_prob", in: 0...0.999) ?? 0.1)
        classifierDropout =
            try file.optionalDouble("classifier_dropout", in: 0...0.999).map { Float($0) } ?? hiddenDropout
        initializerRange = Float(try file.optionalDouble("initializer_range", in: 0...100) ?? 0.02)
        paddingToken = try file.optionalInteger("pad_token_id", in: 0...vocabularySize - 1)
        if let calibration = try file.optionalObject("calibration") {
            temperature = Float(try calibration.double("temperature", in: 1e-3...1e3))
        }
        if let named = try file.optionalLabels() {
            labels = named
        } else {
            labels = (0..<(try file.optionalInteger("num_labels", in: 0...1 << 16) ?? 0)).map { "LABEL_\($0)" }
        }
    }
}

extension TeacherConfiguration {
    /// The `config.json` that Transformers' `BertForSequenceClassification.from_pretrained` reads.
    ///
    /// `storedType` is the type of the weights beside it.
    public func json(storedType: StoredType = .f32) -> JSONTree {
        var members: [(String, JSONTree)] = [
            ("model_type", .string("bert")),
            ("architectures", .strings(["BertForSequenceClassification"])),
            ("vocab_size", .integer(vocabularySize)),
            ("hidden_size", .integer(hiddenSize)),
            ("num_hidden_layers", .integer(layers)),
            ("num_attention_heads", .integer(heads)),
            ("intermediate_size", .integer(intermediateSize)),
            ("hidden_act", .string(activation.rawValue)),
            ("max_position_embeddings", .integer(maximumLength)),
            ("type_vocab_size", .integer(typeVocabularySize)),
            ("position_embedding_type", .string("absolute")),
            ("layer_norm_eps", .double(layerNormEpsilon)),
            ("hidden_dropout_prob", .double(hiddenDropout)),
            ("attention_probs_dropout_prob", .double(attentionDropout)),
            ("classifier_dropout", classifierDropout == hiddenDropout ? .null : .double(classifierDropout)),
            ("initializer_range", .double(initializerRange)),
            ("problem_type", .string("single_label_classification")),
            ("id2label", .members(labels.enumerated().map { ("\($0.offset)", .string($0.element)) })),
            ("label2id", .members(labels.enumerated().map { ($0.element, .integer($0.offset)) })),
        ]
        if pooling != .cls { members.append(("classifier_pooling", .string(pooling.rawValue))) }
        // The field's name before Transformers 5, and since. It is the type of the weights once they are read.
        let type = storedType == .f16 ? "float16" : "float32"
        members += [("torch_dtype", .string(type)), ("dtype", .string(type))]
        if let paddingToken { members.append(("pad_token_id", .integer(paddingToken))) }
        if temperature != 1 { members.append(("calibration", .members(["temperature": .double(temperature)]))) }
        return .members(members)
    }
}

extension TeacherConfiguration.Activation {
    /// The activation's code in bert_kernels.h.
    public var kernelCode: Int32 {
        switch self {
        case .gelu: Int32(BERT_GELU.rawValue)
        case .geluNew, .geluTanh: Int32(BERT_GELU_TANH.rawValue)
        case .relu: Int32(BERT_RELU.rawValue)
        }
    }

    /// The code where the result is rounded to 8 bits next: a faster form, whose error is far below the rounding's.
    var coarseKernelCode: Int32 { self == .gelu ? Int32(BERT_GELU_COARSE.rawValue) : kernelCode }
}
