/// Writes dead letters, one JSON line each: what is wrong with a line, where it stands, and what it holds.
///
///     {"error":"missing_field","line":7,"source":"drops","file":"/var/spool/a.jsonl","offset":123,
///     "id":"00f3…","reason":"no field 'text'","text":"{}"}
///
/// - `line`, `offset`: the line's number from 1 and where it starts, in bytes from 0, in the file or stream;
/// - `file`: only where there is one;
/// - `id`: as the answer would have had it, see `RecordIdentity`; of the place alone for a line that is too long;
/// - `text`: the line, if it is UTF-8 without NUL and its source isn't in UTF-16; otherwise `base64`: its bytes (RFC 4648). Neither for a line that
///   is too long, of which nothing is kept.
public struct DeadLetterEncoder: Sendable {
    private let field: String

    /// `field` is the JSON field asked for; empty for other input forms.
    public init(field: String = "") {
        self.field = field
    }

    /// `bytes` are the line as it came; none for a line that is too long.
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
            // Pairs of bytes may look like UTF-8 by chance.
            if origin.unit == .byte, UTF8Check.flaw(in: bytes) == nil {
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
        output.append("\"")
        var text = text
        text.withUTF8 { output.appendJSONEscaped($0) }
        output.append("\"")
    }
}
