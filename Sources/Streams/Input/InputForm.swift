import Diagnostics

/// How a line holds its text.
public enum InputForm: Sendable, Equatable {
    /// The line is the text.
    case line
    /// The line is a JSON object; the named field is the text and the other fields pass through.
    case jsonl(field: String)
    /// The line has columns apart by tabs; the text is column `column`, counted from 1. No escapes are undone.
    case tsv(column: Int)

    /// Reads `line`, `jsonl:FIELD` or `tsv:N`.
    public init(_ text: String) throws(UnderstudyError) {
        if text == "line" {
            self = .line
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == "jsonl", !parts[1].isEmpty {
            self = .jsonl(field: String(parts[1]))
            return
        }
        if parts.count == 2, parts[0] == "tsv", let column = Int(parts[1]), column >= 1 {
            self = .tsv(column: column)
            return
        }
        throw UnderstudyError(
            .usage, "the input form '\(text)' isn't known; take line, jsonl:FIELD or tsv:N with N from 1")
    }

    /// The JSON field asked for; empty for the other forms.
    public var field: String {
        if case .jsonl(let field) = self { return field }
        return ""
    }
}
