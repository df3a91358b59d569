import Diagnostics
import Tensors

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
        return JSONTree.members(members).text + "\n"
    }
}
