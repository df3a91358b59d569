import Diagnostics

/// How an answer is written: one line for one record.
public enum OutputFormat: String, Sendable, CaseIterable {
    /// A JSON object with a fixed field order; see `AnswerEncoder`.
    case jsonl
    /// `text<TAB>label<TAB>confidence`; tab, newline, carriage return and backslash in the text are escaped.
    case tsv
    /// The label alone.
    case label

    public init(_ name: String) throws(UnderstudyError) {
        guard let format = OutputFormat(rawValue: name) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnderstudyError(.usage, "there is no output format '\(name)'; take one of \(names)")
        }
        self = format
    }
}
