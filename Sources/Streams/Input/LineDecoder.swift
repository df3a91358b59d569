/// Finds the text in a line, or says why there is none to classify.
///
/// Working memory of one thread: what a result points to is valid until the next call.
public final class LineDecoder {
    public enum Result {
        /// Nothing but white space; skipped and counted.
        case blank
        case flaw(LineFlaw)
        /// `passed` is what goes to the output record's end, as `,"key":value…`; empty except for JSON input.
        case text(UnsafeBufferPointer<UInt8>, passed: UnsafeBufferPointer<UInt8>)
    }

    private let form: InputForm
    private let maximumLineBytes: Int
    private let fields: JSONFields
    private let text = ByteBuffer()
    private let passed = ByteBuffer()
    private static var nothing: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: nil, count: 0) }

    public init(form: InputForm, maximumLineBytes: Int) {
        self.form = form
        self.maximumLineBytes = maximumLineBytes
        fields = JSONFields(field: form.field)
    }

    /// `bytes` are the record's line in its chunk; none for a line that is too long.
    public func decode(_ record: Record, _ bytes: UnsafeBufferPointer<UInt8>) -> Result {
        if record.isTooLong {
            return .flaw(.tooLong(bytes: Int(record.length), maximum: maximumLineBytes))
        }
        if Self.isBlank(bytes) { return .blank }
        if let flaw = UTF8Check.flaw(in: bytes) { return .flaw(flaw) }
        switch form {
        case .line: return .text(bytes, passed: Self.nothing)
        case .tsv(let column): return Self.column(column, of: bytes)
        case .jsonl: return member(of: bytes)
        }
    }

    private func member(of line: UnsafeBufferPointer<UInt8>) -> Result {
        text.removeAll()
        passed.removeAll()
        if let flaw = fields.read(line, text: text, passed: passed) { return .flaw(flaw) }
        // \u0000 is legal JSON, but no text.
        if let place = text.bytes.firstIndex(of: 0) { return .flaw(.containsNUL(at: place + 1)) }
        return .text(text.bytes, passed: passed.bytes)
    }

    private static func column(_ wanted: Int, of line: UnsafeBufferPointer<UInt8>) -> Result {
        var start = 0
        var column = 1
        for index in 0...line.count where index == line.count || line[index] == 0x09 {
            if column == wanted {
                return .text(UnsafeBufferPointer(rebasing: line[start..<index]), passed: nothing)
            }
            column += 1
            start = index + 1
        }
        return .flaw(.missingColumn(found: column - 1, wanted: wanted))
    }

    /// Only ASCII white space and the ideographic space (U+3000), the blanks that people type.
    private static func isBlank(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09...0x0D: index += 1
            case 0xE3 where index + 2 < bytes.count && bytes[index + 1] == 0x80 && bytes[index + 2] == 0x80:
                index += 3
            default: return false
            }
        }
        return true
    }
}
