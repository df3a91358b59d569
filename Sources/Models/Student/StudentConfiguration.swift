import Bytes
import Diagnostics
import Tensors

/// A student's architecture and metadata: everything except the values of its weights. Stored in `config.json`.
public struct StudentConfiguration: Sendable, Equatable {
    /// The input of the biLSTM.
    public enum Input: String, Sendable, CaseIterable {
        /// One step per token.
        case tokens
        /// One step per line: the mean of its token vectors (the seed article's variant).
        case sentenceVector = "sentence-vector"
    }

    /// How the hidden states of a line are reduced to one vector.
    public enum Pooling: String, Sendable, CaseIterable {
        /// The final state of each direction (Tang et al. 2019, §3.1).
        case last
        /// The maximum of each unit over time.
        case max
        /// The mean of each unit over time.
        case mean
    }

    public static let modelType = "understudy-bilstm"

    /// The student's name in outputs.
    public var version: String
    public var input = Input.tokens
    /// V: rows of the embedding.
    public var vocabularySize: Int
    /// E: embedding dimensions.
    public var embeddingSize: Int
    /// H: hidden units of each direction.
    public var hiddenSize: Int
    /// D: units of the dense layer between pooling and logits.
    public var denseSize: Int
    /// One or more, concatenated in this order.
    public var pooling: [Pooling]
    /// Rows of the shortcut's table of hashed character n-grams (`NGramHasher`); 0 for no shortcut, a power of two from
    /// 2 on otherwise.
    public var shortcutBuckets = 0
    /// nil if every line goes through the biLSTM.
    public var earlyExit: EarlyExit?
    /// Maximum number of tokens per line; the rest is cut off.
    public var maximumTokens: Int
    /// In the order of the logits.
    public var labels: [String]
    /// How the weights are stored: `f32`, `f16` or `bf16`.
    public var precision = "f16"
    public var calibration: Calibration?
    /// The version that this student was warm-started from.
    public var parent: String?
    /// SHA-256 of the training lines.
    public var dataFingerprint: String?
    public var seed: UInt64?

    public init(
        version: String, vocabularySize: Int, embeddingSize: Int, hiddenSize: Int, denseSize: Int, pooling: [Pooling],
        maximumTokens: Int = 128, labels: [String]
    ) {
        self.version = version
        self.vocabularySize = vocabularySize
        self.embeddingSize = embeddingSize
        self.hiddenSize = hiddenSize
        self.denseSize = denseSize
        self.pooling = pooling
        self.maximumTokens = maximumTokens
        self.labels = labels
    }

    /// Width of the pooled vector: both directions of every pooling.
    public var pooledSize: Int { 2 * hiddenSize * pooling.count }

    /// Throws the first error in these values.
    public func check() throws(UnderstudyError) {
        func size(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(UnderstudyError) {
            guard range.contains(value) else {
                throw UnderstudyError(.invalidData, "\"\(name)\" is \(value); it must be in \(range)")
            }
        }
        try size("vocab_size", vocabularySize, 1...4_000_000)
        try size("embedding_size", embeddingSize, 1...4096)
        try size("hidden_size", hiddenSize, 1...4096)
        try size("dense_size", denseSize, 1...65536)
        try size("shortcut_buckets", shortcutBuckets, 0...(1 << 26))
        try size("maximum_tokens", maximumTokens, 1...1_000_000)
        try size("labels", labels.count, 1...100_000)
        guard shortcutBuckets & (shortcutBuckets - 1) == 0, shortcutBuckets != 1 else {
            throw UnderstudyError(
                .invalidData, "\"shortcut_buckets\" is \(shortcutBuckets), which isn't a power of two")
        }
        guard earlyExit == nil || shortcutBuckets > 0 else {
            throw UnderstudyError(
                .invalidData, "\"early_exit\" needs n-grams, but \"shortcut_buckets\" is 0")
        }
        guard !pooling.isEmpty, Set(pooling).count == pooling.count else {
            throw UnderstudyError(.invalidData, "\"pooling\" must name at least one pooling, each once")
        }
        guard Set(labels).count == labels.count else {
            throw UnderstudyError(.invalidData, "\"labels\" names a label twice")
        }
    }
}

extension StudentConfiguration {
    /// Reads a student's `config.json`.
    ///
    /// - Throws: `invalidData` naming the key that is missing or wrong.
    public init(_ json: ModelConfiguration) throws(UnderstudyError) {
        let type = try json.optionalString("model_type")
        guard type == Self.modelType else {
            throw json.wrong("model_type", "it is \"\(type ?? "")\"; a student's is \"\(Self.modelType)\"")
        }
        let pooling = try json.strings("pooling")
        var poolings: [Pooling] = []
        for name in pooling {
            guard let known = Pooling(rawValue: name) else {
                throw json.wrong(
                    "pooling", "\"\(name)\" is none of \(Pooling.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            poolings.append(known)
        }
        self.init(
            version: try json.optionalString("version") ?? "unnamed",
            vocabularySize: try json.integer("vocab_size", in: 1...4_000_000),
            embeddingSize: try json.integer("embedding_size", in: 1...4096),
            hiddenSize: try json.integer("hidden_size", in: 1...4096),
            denseSize: try json.integer("dense_size", in: 1...65536), pooling: poolings,
            maximumTokens: try json.optionalInteger("maximum_tokens", in: 1...1_000_000) ?? 128,
            labels: try json.labels())
        input = try json.optionalChoice("input") ?? .tokens
        shortcutBuckets = try json.optionalInteger("shortcut_buckets", in: 0...(1 << 26)) ?? 0
        precision = try json.optionalString("precision") ?? "f32"
        parent = try json.optionalString("parent")
        dataFingerprint = try json.optionalString("data_fingerprint")
        seed = try json.optionalInteger("seed", in: 0...Int.max).map { UInt64($0) }
        if let values = try json.optionalObject("early_exit") {
            earlyExit = EarlyExit(
                threshold: Float(try values.double("threshold", in: 0...1)),
                scale: Float(try values.double("scale", in: 1e-3...1e3)))
        }
        if let values = try json.optionalObject("calibration") {
            calibration = Calibration(
                temperature: Float(try values.double("temperature", in: 1e-3...1e3)),
                deferralThreshold: Float(try values.double("deferral_threshold", in: 0...1)),
                policy: try values.optionalString("policy") ?? "confidence",
                holdoutDescription: try values.optionalString("holdout"))
        }
        do {
            try check()
        } catch {
            throw error.placed(at: json.path)
        }
    }

    /// The text of `config.json`.
    public func json() -> String {
        var members: [(String, JSONTree)] = [
            ("model_type", .string(Self.modelType)), ("version", .string(version)),
            ("input", .string(input.rawValue)), ("vocab_size", .integer(vocabularySize)),
            ("embedding_size", .integer(embeddingSize)), ("hidden_size", .integer(hiddenSize)),
            ("dense_size", .integer(denseSize)), ("pooling", .strings(pooling.map(\.rawValue))),
            ("shortcut_buckets", .integer(shortcutBuckets)),
            ("maximum_tokens", .integer(maximumTokens)), ("labels", .strings(labels)),
            ("precision", .string(precision)),
        ]
        if let earlyExit {
            members.append(
                (
                    "early_exit",
                    .members([("threshold", .double(earlyExit.threshold)), ("scale", .double(earlyExit.scale))])
                ))
        }
        if let calibration {
            var values: [(String, JSONTree)] = [
                ("temperature", .double(calibration.temperature)),
                ("deferral_threshold", .double(calibration.deferralThreshold)),
                ("policy", .string(calibration.policy)),
            ]
            if let holdout = calibration.holdoutDescription { values.append(("holdout", .string(holdout))) }
            members.append(("calibration", .members(values)))
        }
        if let parent { members.append(("parent", .string(parent))) }
        if let dataFingerprint { members.append(("data_fingerprint", .string(dataFingerprint))) }
        if let seed { members.append(("seed", .integer(seed))) }
        return JSONTree.members(members).written() + "\n"
    }
}

/// When a student answers by its n-grams alone, without its biLSTM (early exit: Teerapittayanon et al. 2016, §III).
///
/// Besides the shortcut, which adds to the biLSTM's logits, such a student has a separately distilled linear classifier
/// over the same hashed n-grams. If that is certain, its logits are the result.
public struct EarlyExit: Sendable, Equatable {
    /// The minimum calibrated confidence for an exit, 0 … 1.
    public var threshold: Float
    /// The factor of the exit's logits, so that the same temperature fits them.
    public var scale: Float

    public init(threshold: Float, scale: Float) {
        self.threshold = threshold
        self.scale = scale
    }
}
