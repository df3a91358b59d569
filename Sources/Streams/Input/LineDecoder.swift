import Bytes
import Diagnostics

/// Finds the text in a line, or the reason why the line can't be classified.
///
/// Working memory of one thread: a result's pointers are valid until the next call.
public final class LineDecoder {
    public enum Result {
        /// Only white space; skipped and counted.
        case blank
        case flaw(LineFlaw)
        /// `passed` goes to the end of the output record, as `,"key":value…`; it is empty except for JSON input.
        case text(UnsafeBufferPointer<UInt8>, passed: UnsafeBufferPointer<UInt8>)
    }

    private let form: InputForm
    private let maximumLineBytes: Int
    private let encoding: TextEncoding
    /// nil for UTF-8 and UTF-16.
    private let transcoder: LineTranscoder?
    private let converted = ByteBuffer()
    private let fields: JSONFields
    private let text = ByteBuffer()
    private let passed = ByteBuffer()
    private static var nothing: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: nil, count: 0) }

    /// For lines in UTF-8.
    public convenience init(form: InputForm, maximumLineBytes: Int) {
        self.init(form, maximumLineBytes, .utf8, nil)
    }

    /// Lines in another encoding are converted to UTF-8 first; their ids are still computed from the original bytes.
    ///
    /// Errors: `configuration` if the C library can't convert from the encoding.
    public convenience init(
        form: InputForm, maximumLineBytes: Int, encoding: TextEncoding
    ) throws(UnderstudyError) {
        let isPlain = encoding == .utf8 || encoding.isUTF16
        self.init(form, maximumLineBytes, encoding, isPlain ? nil : try LineTranscoder(encoding))
    }

    private init(
        _ form: InputForm, _ maximumLineBytes: Int, _ encoding: TextEncoding, _ transcoder: LineTranscoder?
    ) {
        self.form = form
        self.encoding = encoding
        self.maximumLineBytes = maximumLineBytes
        self.transcoder = transcoder
        fields = JSONFields(field: form.field)
    }

    /// `bytes` are the record's line in its chunk; empty for a line that is too long. `unit` is the code unit of its
    /// origin.
    public func decode(
        _ record: Record, _ bytes: UnsafeBufferPointer<UInt8>, unit: CodeUnit = .byte
    ) -> Result {
        if record.isTorn { return .flaw(.torn(bytes: Int(record.length))) }
        if record.isTooLong {
            return .flaw(.tooLong(bytes: Int(record.length), maximum: maximumLineBytes))
        }
        var line = bytes
        if unit != .byte {
            let isOdd = record.offset % 2 != 0
            if let flaw = UTF16Text.convert(bytes, unit, isOdd: isOdd, encoding, into: converted) { return .flaw(flaw) }
            line = converted.bytes
        } else if let transcoder {
            if let place = bytes.firstIndex(of: 0) { return .flaw(.containsNUL(at: place + 1)) }
            if let flaw = transcoder.convert(bytes) { return .flaw(flaw) }
            line = transcoder.utf8
        }
        if Self.isBlank(line) { return .blank }
        let valid = UTF8Check.validPrefixWithoutNUL(line)
        guard valid == line.count else {
            return .flaw(line[valid] == 0 ? .containsNUL(at: valid + 1) : .notUTF8(at: valid + 1))
        }
        switch form {
        case .line: return .text(line, passed: Self.nothing)
        case .tsv(let column): return Self.column(column, of: line)
        case .jsonl: return member(of: line)
        }
    }

    private func member(of line: UnsafeBufferPointer<UInt8>) -> Result {
        text.removeAll()
        passed.removeAll()
        if let flaw = fields.read(line, text: text, passed: passed) { return .flaw(flaw) }
        // \u0000 is valid JSON, but text must not contain NUL.
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

    /// Only ASCII white space and the ideographic space (U+3000).
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

/// How a line holds its text.
public enum InputForm: Sendable, Equatable {
    /// The line is the text.
    case line
    /// The line is a JSON object; the named field is the text and the other fields pass through.
    case jsonl(field: String)
    /// The line has columns separated by tabs; the text is column `column`, counted from 1. Escapes are not decoded.
    case tsv(column: Int)

    /// Parses `line`, `jsonl:FIELD` or `tsv:N`.
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
            .usage, "unknown input form '\(text)'; use line, jsonl:FIELD or tsv:N with N from 1")
    }

    /// The JSON field that holds the text; empty for the other forms.
    public var field: String {
        if case .jsonl(let field) = self { return field }
        return ""
    }
}
