import Diagnostics

/// One line of a data file: `{"text":…,"label":…,"id":…}`. Its buffers are reused from line to line.
struct DataRecord {
    private(set) var text: [UInt8] = []
    private(set) var label: String?
    /// The given id as text: a string's content, or an integer's digits.
    private(set) var id: String?

    private var key: [UInt8] = []
    private var value: [UInt8] = []

    private static let textKey = Array("text".utf8)
    private static let labelKey = Array("label".utf8)
    private static let idKey = Array("id".utf8)

    /// Takes the fields from a line's bytes. If a field is duplicate, the last one is used, as in Python's json.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        var scanner = JSONLineScanner(line)
        var hasText = false
        label = nil
        id = nil
        scanner.skipSpace()
        guard scanner.take(UInt8(ascii: "{")) else {
            throw UnderstudyError(.invalidData, "a JSON object is expected, such as {\"text\":\"…\",\"label\":\"…\"}")
        }
        scanner.skipSpace()
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                scanner.skipSpace()
                try scanner.scanString(into: &key)
                scanner.skipSpace()
                try scanner.expect(UInt8(ascii: ":"))
                scanner.skipSpace()
                if key == Self.textKey {
                    hasText = try readText(&scanner)
                } else if key == Self.labelKey {
                    try readLabel(&scanner)
                } else if key == Self.idKey {
                    try readID(&scanner, line: line)
                } else {
                    try scanner.skipValue(scratch: &value)
                }
                scanner.skipSpace()
            } while scanner.take(UInt8(ascii: ","))
            try scanner.expect(UInt8(ascii: "}"))
        }
        scanner.skipSpace()
        guard scanner.current == nil else { throw scanner.malformed("something follows the object") }
        guard hasText else { throw UnderstudyError(.invalidData, "the field \"text\" is missing") }
    }

    private mutating func readText(_ scanner: inout JSONLineScanner) throws(UnderstudyError) -> Bool {
        guard scanner.current == UInt8(ascii: "\"") else {
            try scanner.skipValue(scratch: &value)
            throw UnderstudyError(.invalidData, "the field \"text\" must be a string")
        }
        try scanner.scanString(into: &text)
        return true
    }

    private mutating func readLabel(_ scanner: inout JSONLineScanner) throws(UnderstudyError) {
        switch scanner.current {
        case UInt8(ascii: "\""):
            try scanner.scanString(into: &value)
            guard !value.isEmpty else {
                throw UnderstudyError(
                    .invalidData, "the label is empty; leave the field out where the label isn't known")
            }
            label = String(decoding: value, as: UTF8.self)
        case UInt8(ascii: "n"):
            try scanner.expectWord("null")
            label = nil
        default:
            try scanner.skipValue(scratch: &value)
            throw UnderstudyError(.invalidData, "the field \"label\" must be a string (or be left out)")
        }
    }

    private mutating func readID(
        _ scanner: inout JSONLineScanner, line: UnsafeBufferPointer<UInt8>
    ) throws(UnderstudyError) {
        switch scanner.current {
        case UInt8(ascii: "\""):
            try scanner.scanString(into: &value)
            id = String(decoding: value, as: UTF8.self)
        case UInt8(ascii: "n"):
            try scanner.expectWord("null")
            id = nil
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            id = String(decoding: line[try scanner.scanNumber()], as: UTF8.self)
        default:
            try scanner.skipValue(scratch: &value)
            throw UnderstudyError(.invalidData, "the field \"id\" must be a string or a number (or be left out)")
        }
    }
}

/// Reads one JSON text (RFC 8259) byte by byte, without building a tree: data files have many short lines.
///
/// Strict: any violation of the grammar is an error, also inside skipped values.
struct JSONLineScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0

    /// Deeper nesting is refused instead of recursing.
    static let deepestNesting = 128

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The byte at the current position; nil at the end.
    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    /// Skips `byte` if it is next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(UnderstudyError) {
        guard take(byte) else { throw malformed("\"\(Character(Unicode.Scalar(byte)))\" is expected") }
    }

    /// Replaces `value` by the unescaped UTF-8 of the next string.
    mutating func scanString(into value: inout [UInt8]) throws(UnderstudyError) {
        value.removeAll(keepingCapacity: true)
        try expect(0x22)
        while true {
            let start = position
            while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5c, bytes[position] >= 0x20 {
                position += 1
            }
            value.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<position]))
            guard let byte = current else { throw malformed("a string doesn't end") }
            if byte == 0x22 { break }
            guard byte == 0x5c else { throw malformed("a control character stands in a string unescaped") }
            position += 1
            try scanEscape(into: &value)
        }
        position += 1
        do { _ = try UTF8Span(validating: value.span) } catch { throw malformed("a string isn't UTF-8") }
    }

    private mutating func scanEscape(into value: inout [UInt8]) throws(UnderstudyError) {
        guard let byte = current else { throw malformed("a string doesn't end") }
        position += 1
        switch byte {
        case 0x22, 0x5c, 0x2f: value.append(byte)
        case UInt8(ascii: "b"): value.append(0x08)
        case UInt8(ascii: "f"): value.append(0x0c)
        case UInt8(ascii: "n"): value.append(0x0a)
        case UInt8(ascii: "r"): value.append(0x0d)
        case UInt8(ascii: "t"): value.append(0x09)
        case UInt8(ascii: "u"):
            var code = try scanHexadecimal()
            if code & 0xfc00 == 0xd800 {
                guard take(0x5c), take(UInt8(ascii: "u")) else { throw malformed("half a surrogate pair") }
                let low = try scanHexadecimal()
                guard low & 0xfc00 == 0xdc00 else { throw malformed("half a surrogate pair") }
                code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
            value.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw malformed("an unknown escape")
        }
    }

    private mutating func scanHexadecimal() throws(UnderstudyError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw malformed("\\u needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    /// Skips a number and returns its range of bytes.
    @discardableResult
    mutating func scanNumber() throws(UnderstudyError) -> Range<Int> {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try scanDigits() }
        if take(UInt8(ascii: ".")) { try scanDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try scanDigits()
        }
        return start..<position
    }

    private mutating func scanDigits() throws(UnderstudyError) {
        let start = position
        while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
        guard position > start else { throw malformed("a value is expected") }
    }

    mutating func expectWord(_ word: StaticString) throws(UnderstudyError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard take(word.utf8Start[index]) else { throw malformed("a value is expected") }
        }
    }

    /// Skips any value. `scratch` is overwritten.
    mutating func skipValue(scratch: inout [UInt8], depth: Int = 0) throws(UnderstudyError) {
        guard depth < Self.deepestNesting else { throw malformed("values nest too deep") }
        skipSpace()
        switch current {
        case UInt8(ascii: "\""): try scanString(into: &scratch)
        case UInt8(ascii: "t"): try expectWord("true")
        case UInt8(ascii: "f"): try expectWord("false")
        case UInt8(ascii: "n"): try expectWord("null")
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let isObject = current == UInt8(ascii: "{")
            let end = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
            position += 1
            skipSpace()
            if take(end) { return }
            while true {
                if isObject {
                    skipSpace()
                    try scanString(into: &scratch)
                    skipSpace()
                    try expect(UInt8(ascii: ":"))
                }
                try skipValue(scratch: &scratch, depth: depth + 1)
                skipSpace()
                if take(end) { return }
                try expect(UInt8(ascii: ","))
            }
        default: try scanNumber()
        }
    }

    func malformed(_ what: String) -> UnderstudyError {
        UnderstudyError(.invalidData, "malformed JSON at byte \(position + 1) of the line: \(what)")
    }
}
