import Diagnostics

/// Reads one JSON text (RFC 8259) byte by byte, without building a tree: data files have many short lines.
///
/// Strict: everything that the grammar forbids is an error, also inside values that are skipped.
struct JSONLineScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0

    /// Deeper nesting than this is refused rather than recursed into.
    static let deepestNesting = 128

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The byte at the position; nil at the end.
    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    /// Steps over `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(UnderstudyError) {
        guard take(byte) else { throw malformed("\"\(Character(Unicode.Scalar(byte)))\" is expected") }
    }

    /// Replaces `value` by the unescaped UTF-8 of the string that comes next.
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

    /// Steps over a number and returns its bytes' range.
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

    /// Steps over any value. `scratch` is overwritten.
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
