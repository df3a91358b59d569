/// All code that reads external bytes, as functions of bytes without a result: they return, or end the process on a
/// violated invariant. libFuzzer runs them (`Tests/Fuzz/README.md`), and so do the tests, over the corpora.
public enum FuzzTargets {
    /// By name. A target is used by one thread at a time.
    public static let all: [FuzzTarget] = [
        FuzzTarget("configuration", configuration),
        FuzzTarget("lines", lines),
        FuzzTarget("training-data", trainingData),
        FuzzTarget("human-labels", humanLabels),
        FuzzTarget("teacher-logits", teacherLogits),
        FuzzTarget("json", json),
        FuzzTarget("safetensors", safetensors),
        FuzzTarget("model-directory", modelDirectory),
        FuzzTarget("tokenizer-json", tokenizerJSON),
        FuzzTarget("tokenizer-directory", tokenizerDirectory),
        FuzzTarget("vocabulary", vocabulary),
        FuzzTarget("tokenize", tokenize),
        FuzzTarget("word-vectors", wordVectors),
        FuzzTarget("http-request", httpRequest),
        FuzzTarget("status-address", statusAddress),
        FuzzTarget("gzip", gzip),
        FuzzTarget("zstd", zstd),
        FuzzTarget("spool", spool),
        FuzzTarget("state", state),
    ]

    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// A fuzz target.
public struct FuzzTarget: Sendable, CustomStringConvertible {
    public let name: String
    public let run: @Sendable ([UInt8]) -> Void

    init(_ name: String, _ run: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.run = run
    }

    public var description: String { name }
}
