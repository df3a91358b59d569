/// How a line holds its text.
public enum InputSettings: Sendable, Equatable {
    /// The line is the text.
    case line
    /// The line is a JSON object with the text in the named field.
    case jsonl(field: String)
    /// The line has columns apart by tabs; counted from 1.
    case tsv(column: Int)
}
