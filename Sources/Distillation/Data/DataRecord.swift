import Bytes
import Diagnostics

/// One line of a data file: `{"text":…,"label":…,"id":…}`. Its buffers are reused from line to line.
struct DataRecord {
    let text = ByteBuffer()
    private(set) var label: String?
    /// The given id as text: a string's content, or an integer's digits.
    private(set) var id: String?

    private let key = ByteBuffer()
    private let value = ByteBuffer()

    private static let textKey = Array("text".utf8)
    private static let labelKey = Array("label".utf8)
    private static let idKey = Array("id".utf8)

    /// Deeper nesting is refused.
    private static let maximumDepth = 128

    /// Takes the fields from a line's bytes. If a field is duplicate, the last one is used, as in Python's json.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        var scanner = JSONScanner(line)
        var hasText = false
        label = nil
        id = nil
        scanner.skipWhitespace()
        guard scanner.take(UInt8(ascii: "{")) else {
            throw UnderstudyError(.invalidData, "expected a JSON object, such as {\"text\":\"…\",\"label\":\"…\"}")
        }
        scanner.skipWhitespace()
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                scanner.skipWhitespace()
                let start = scanner.position
                guard scanner.key() else { throw malformed(scanner) }
                copyString(line, from: start, into: key)
                if isKey(Self.textKey) {
                    try readText(&scanner, line)
                    hasText = true
                } else if isKey(Self.labelKey) {
                    try readLabel(&scanner, line)
                } else if isKey(Self.idKey) {
                    try readID(&scanner, line)
                } else {
                    _ = try skipValue(&scanner)
                }
                scanner.skipWhitespace()
            } while scanner.take(UInt8(ascii: ","))
            guard scanner.take(UInt8(ascii: "}")) else { throw malformed(scanner, "expected \"}\"") }
        }
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { throw malformed(scanner, "unexpected text after the object") }
        let valid = UTF8Check.validPrefix(line)
        guard valid == line.count else { throw malformed("a string isn't UTF-8", at: valid) }
        guard hasText else { throw UnderstudyError(.invalidData, "the field \"text\" is missing") }
    }

    private func readText(
        _ scanner: inout JSONScanner, _ line: UnsafeBufferPointer<UInt8>
    ) throws(UnderstudyError) {
        let start = try skipValue(&scanner)
        guard line[start] == UInt8(ascii: "\"") else {
            throw UnderstudyError(.invalidData, "the field \"text\" must be a string")
        }
        copyString(line, from: start, into: text)
    }

    private mutating func readLabel(
        _ scanner: inout JSONScanner, _ line: UnsafeBufferPointer<UInt8>
    ) throws(UnderstudyError) {
        let start = try skipValue(&scanner)
        switch line[start] {
        case UInt8(ascii: "\""):
            copyString(line, from: start, into: value)
            guard value.count > 0 else {
                throw UnderstudyError(
                    .invalidData, "the label is empty; leave the field out where the label isn't known")
            }
            label = String(decoding: value.bytes, as: UTF8.self)
        case UInt8(ascii: "n"): label = nil
        default:
            throw UnderstudyError(.invalidData, "the field \"label\" must be a string (or be left out)")
        }
    }

    private mutating func readID(
        _ scanner: inout JSONScanner, _ line: UnsafeBufferPointer<UInt8>
    ) throws(UnderstudyError) {
        let start = try skipValue(&scanner)
        switch line[start] {
        case UInt8(ascii: "\""):
            copyString(line, from: start, into: value)
            id = String(decoding: value.bytes, as: UTF8.self)
        case UInt8(ascii: "n"): id = nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            id = String(decoding: line[start..<scanner.position], as: UTF8.self)
        default:
            throw UnderstudyError(.invalidData, "the field \"id\" must be a string or a number (or be left out)")
        }
    }

    /// Returns where the value starts.
    private func skipValue(_ scanner: inout JSONScanner) throws(UnderstudyError) -> Int {
        let start = scanner.position
        guard scanner.value(depth: JSONScanner.maximumDepth - Self.maximumDepth) else { throw malformed(scanner) }
        return start
    }

    /// Replaces the buffer's contents by the content of the string at `start`, which the scanner has skipped.
    private func copyString(_ line: UnsafeBufferPointer<UInt8>, from start: Int, into buffer: ByteBuffer) {
        buffer.removeAll()
        JSONString.unescape(JSONString.inside(line, from: start).bytes, into: buffer)
    }

    private func isKey(_ name: [UInt8]) -> Bool { key.bytes.elementsEqual(name) }
}

/// Errors of the syntax.
extension DataRecord {
    private func malformed(_ what: String, at position: Int) -> UnderstudyError {
        UnderstudyError(.invalidData, "malformed JSON at byte \(position + 1) of the line: \(what)")
    }

    private func malformed(_ scanner: JSONScanner, _ what: String) -> UnderstudyError {
        malformed(what, at: scanner.position)
    }

    private func malformed(_ scanner: JSONScanner) -> UnderstudyError {
        let what =
            switch scanner.failure {
            case .expectedKey: "\"\"\" is expected"
            case .expectedColon: "\":\" is expected"
            case .expectedCommaOrBrace, .expectedCommaOrBracket: "\",\" is expected"
            case .unclosedString: "unterminated string"
            case .badEscape: scanner.isAtEnd ? "unterminated string" : "unknown escape"
            case .badHexadecimal: "\\u needs four hexadecimal digits"
            case .loneSurrogate: "unpaired surrogate"
            case .controlCharacter: "a control character in a string must be escaped"
            case .tooDeep: "values are nested too deeply"
            case .trailingBytes: "unexpected text after the object"
            case .expectedValue, .badNumber, .unexpectedEnd, nil: "expected a value"
            }
        return malformed(what, at: scanner.position)
    }
}
