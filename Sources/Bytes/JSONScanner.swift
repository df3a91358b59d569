/// A strict scanner of one JSON text (RFC 8259), which must be valid UTF-8. It finds where values start and end and
/// builds nothing.
public struct JSONScanner {
    /// What is wrong. Callers have their own words for it.
    public enum Problem: Sendable, Equatable {
        /// The text ends where something must follow.
        case unexpectedEnd
        case expectedValue
        case expectedKey
        case expectedColon
        case expectedCommaOrBrace
        case expectedCommaOrBracket
        case badNumber
        case controlCharacter
        case unclosedString
        case badEscape
        case badHexadecimal
        case loneSurrogate
        case tooDeep
        case trailingBytes
    }

    /// The same limit as Foundation's parser.
    @inlinable public static var maximumDepth: Int { 512 }

    @usableFromInline let bytes: UnsafePointer<UInt8>
    @usableFromInline let end: Int
    @usableFromInline var offset = 0
    @usableFromInline var firstFailure: Problem?

    /// The index of the next byte.
    @inlinable public var position: Int { offset }

    /// The first check that failed; `position` is then the place of the problem.
    public var failure: Problem? { firstFailure }

    /// `failure`, or `unexpectedEnd` if it is at the end of the text.
    public var problem: Problem? { failure.map { isAtEnd ? .unexpectedEnd : $0 } }

    @inlinable public init(_ text: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no address; any non-null one will do, since nothing is read from it.
        bytes = text.baseAddress.map { $0 } ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        end = text.count
    }

    @inlinable public var isAtEnd: Bool { offset >= end }

    /// The byte at the current position; 0 at the end.
    @inlinable public var next: UInt8 { offset < end ? bytes[offset] : 0 }

    @inlinable public mutating func skipWhitespace() {
        while offset < end {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    /// Skips `byte` if it is the next byte.
    @inlinable public mutating func take(_ byte: UInt8) -> Bool {
        guard offset < end, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// Records the first problem. Always returns false.
    @inlinable public mutating func fail(_ found: Problem) -> Bool {
        if firstFailure == nil { firstFailure = found }
        return false
    }

    /// Skips any value. White space before it must have been skipped.
    @inlinable public mutating func value(depth: Int = 0) -> Bool {
        guard offset < end else { return fail(.expectedValue) }
        switch bytes[offset] {
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "{"): return container(closing: UInt8(ascii: "}"), keyed: true, depth: depth)
        case UInt8(ascii: "["): return container(closing: UInt8(ascii: "]"), keyed: false, depth: depth)
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        default: return fail(.expectedValue)
        }
    }

    @inlinable mutating func container(closing: UInt8, keyed: Bool, depth: Int) -> Bool {
        guard depth < Self.maximumDepth else { return fail(.tooDeep) }
        offset += 1
        skipWhitespace()
        if take(closing) { return true }
        while true {
            if keyed, !key() { return false }
            guard value(depth: depth + 1) else { return false }
            skipWhitespace()
            if take(closing) { return true }
            guard take(UInt8(ascii: ",")) else { return fail(keyed ? .expectedCommaOrBrace : .expectedCommaOrBracket) }
            skipWhitespace()
        }
    }

    /// Skips a key, its colon and the white space after each.
    @inlinable public mutating func key() -> Bool {
        guard next == UInt8(ascii: "\"") else { return fail(.expectedKey) }
        guard string() else { return false }
        skipWhitespace()
        guard take(UInt8(ascii: ":")) else { return fail(.expectedColon) }
        skipWhitespace()
        return true
    }

    @inlinable mutating func word(_ expected: StaticString) -> Bool {
        for index in 0..<expected.utf8CodeUnitCount {
            guard offset < end, bytes[offset] == expected.utf8Start[index] else { return fail(.expectedValue) }
            offset += 1
        }
        return true
    }

    @inlinable mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")), !digits() { return fail(.badNumber) }
        if take(UInt8(ascii: ".")), !digits() { return fail(.badNumber) }
        if next | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if !digits() { return fail(.badNumber) }
        }
        return true
    }

    @inlinable mutating func digits() -> Bool {
        let start = offset
        while offset < end, bytes[offset] &- 0x30 < 10 { offset += 1 }
        return offset > start
    }

    /// Skips a string, quotes included. The current position must be the opening quote.
    @inlinable public mutating func string() -> Bool {
        offset += 1
        while offset < end {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                offset += 1
                return true
            }
            if byte == UInt8(ascii: "\\") {
                guard escape() else { return false }
            } else if byte < 0x20 {
                return fail(.controlCharacter)
            } else {
                offset += 1
            }
        }
        return fail(.unclosedString)
    }

    @inlinable mutating func escape() -> Bool {
        guard offset + 1 < end else {
            offset = end
            return fail(.badEscape)
        }
        switch bytes[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 2
            return true
        case UInt8(ascii: "u"):
            return unicodeEscape()
        default:
            return fail(.badEscape)
        }
    }

    @inlinable mutating func unicodeEscape() -> Bool {
        guard let unit = JSONString.hexadecimal(bytes + offset + 2, available: end - offset - 2) else {
            return fail(.badHexadecimal)
        }
        guard unit & 0xF800 == 0xD800 else {
            offset += 6
            return true
        }
        guard unit < 0xDC00, offset + 12 <= end, bytes[offset + 6] == UInt8(ascii: "\\"),
            bytes[offset + 7] == UInt8(ascii: "u"),
            let low = JSONString.hexadecimal(bytes + offset + 8, available: 4), low & 0xFC00 == 0xDC00
        else { return fail(.loneSurrogate) }
        offset += 12
        return true
    }
}
