import Configuration
import Testing

/// Reads a text with an environment of the test's own.
func settings(_ text: String, environment: [String: String] = [:]) throws(ConfigurationErrors) -> Settings {
    try ConfigurationFile.read(Array(text.utf8), path: "test.yaml", environment: environment)
}

/// All errors of a text as `line:column: sentence`; empty when it is right.
func errors(_ text: String, environment: [String: String] = [:]) -> [String] {
    errors(Array(text.utf8), environment: environment)
}

func errors(_ bytes: [UInt8], environment: [String: String] = [:]) -> [String] {
    do {
        _ = try ConfigurationFile.read(bytes, path: "test.yaml", environment: environment)
        return []
    } catch {
        return error.errors.map { "\($0.line ?? 0):\($0.column ?? 0): \($0.sentence)" }
    }
}

/// The least that a file must hold.
let leastSource = "sources:\n  - {name: in, kind: stdin}\n"
let leastSink = "sinks:\n  - {name: out, kind: stdout}\n"
let least = leastSource + leastSink
