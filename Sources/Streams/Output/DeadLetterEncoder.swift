import Bytes

/// Writes dead letters, one JSON line each: the flaw of a line, its position, and its content.
///
///     {"error":"missing_field","line":7,"source":"drops","file":"/var/spool/a.jsonl","offset":123,
///     "id":"00f3…","reason":"no field 'text'","text":"{}"}
///
/// - `line`, `offset`: the line's number from 1 and the byte offset of its start, from 0, in the file or stream;
/// - `file`: only if the line comes from a file;
/// - `id`: the id that the answer would have had, see `RecordIdentity`; computed from the position alone if the line is
///   too long;
/// - `text`: the line, if it is UTF-8 without NUL and its source isn't in UTF-16; otherwise `base64`: its bytes (RFC
///   4648). Neither for a line that is too long, since its bytes aren't kept.
public struct DeadLetterEncoder: Sendable {
    private let field: String

    /// `field` is the JSON field of the text; empty for other input forms.
    public init(field: String = "") {
        self.field = field
    }

    /// `bytes` are the line as it was read; empty for a line that is too long.
    public func append(
        _ flaw: LineFlaw, record: Record, origin: SourceOrigin, bytes: UnsafeBufferPointer<UInt8>,
        to output: ByteBuffer
    ) {
        output.append("{\"error\":\"")
        output.append(flaw.kind.rawValue)
        output.append("\",\"line\":")
        output.appendDecimal(record.number)
        appendString(",\"source\":", origin.source, output)
        if origin.file != nil { appendString(",\"file\":", origin.path, output) }
        output.append(",\"offset\":")
        output.appendDecimal(record.offset)
        output.append(",\"id\":\"")
        output.appendHexadecimal(origin.identity.id(offset: record.offset, line: bytes))
        output.append("\"")
        appendString(",\"reason\":", flaw.reason(field: field), output)
        if !record.isTooLong {
            // Pairs of bytes may be valid UTF-8 by chance.
            if origin.unit == .byte, UTF8Check.validPrefixWithoutNUL(bytes) == bytes.count {
                output.append(",\"text\":\"")
                output.appendJSONEscaped(bytes)
            } else {
                output.append(",\"base64\":\"")
                output.appendBase64(bytes)
            }
            output.append("\"")
        }
        output.append("}\n")
    }

    private func appendString(_ key: StaticString, _ text: String, _ output: ByteBuffer) {
        output.append(key)
        output.appendJSONString(text)
    }
}

/// Writes error records, one JSON line each, for lines that got no answer, and warnings in the same format:
///
///     {"error":"not_utf8","line":7,"source":"stdin","reason":"not UTF-8 at byte 17"}
public struct FlawEncoder: Sendable {
    private let source: String
    private let field: String

    /// `field` is the JSON field of the text; empty for other input forms.
    public init(source: String, field: String = "") {
        self.source = source
        self.field = field
    }

    public func append(_ flaw: LineFlaw, line: UInt64, to output: ByteBuffer) {
        append(key: "error", code: flaw.kind.rawValue, line: line, reason: flaw.reason(field: field), to: output)
    }

    /// A condition that doesn't stop the run, reported once per run; `line` is the first line where it occurred.
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
        output.append(",\"source\":")
        output.appendJSONString(source)
        output.append(",\"reason\":")
        output.appendJSONString(reason)
        output.append("}\n")
    }
}
