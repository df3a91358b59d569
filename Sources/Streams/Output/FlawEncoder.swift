/// Writes error records, one JSON line each, for lines that got no answer, and warnings in the same form:
///
///     {"error":"not_utf8","line":7,"source":"stdin","reason":"not UTF-8 at byte 17"}
public struct FlawEncoder: Sendable {
    private let source: String
    private let field: String

    /// `field` is the JSON field asked for; empty for other input forms.
    public init(source: String, field: String = "") {
        self.source = source
        self.field = field
    }

    public func append(_ flaw: LineFlaw, line: UInt64, to output: ByteBuffer) {
        append(key: "error", code: flaw.kind.rawValue, line: line, reason: flaw.reason(field: field), to: output)
    }

    /// Something that was got over, once per run: the line is where it was noticed first.
    public func appendWarning(code: String, line: UInt64, reason: String, to output: ByteBuffer) {
        append(key: "warning", code: code, line: line, reason: reason, to: output)
    }

    private func append(key: String, code: String, line: UInt64, reason: String, to output: ByteBuffer) {
        output.append("{\"")
        output.append(key)
        output.append("\":\"")
        output.append(code)
        output.append("\",\"line\":")
        output.appendDecimal(line)
        output.append(",\"source\":\"")
        appendEscaped(source, output)
        output.append("\",\"reason\":\"")
        appendEscaped(reason, output)
        output.append("\"}\n")
    }

    private func appendEscaped(_ text: String, _ output: ByteBuffer) {
        var text = text
        text.withUTF8 { output.appendJSONEscaped($0) }
    }
}
