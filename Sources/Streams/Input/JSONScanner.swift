/// A strict scanner of one JSON text (RFC 8259), which must be valid UTF-8. It finds where values start and end and
/// builds nothing.
public struct JSONScanner {
    /// What is wrong, as text for error messages.
    public enum Problem: String, Sendable, Equatable {
        case unexpectedEnd = "it ends too early"
        case expectedValue = "a value must stand here"
        case expectedKey = "a key in quotes must stand here"
        case expectedColon = "a colon must stand here"
        case expectedCommaOrEnd = "a comma or a closing bracket must stand here"
        case badNumber = "not a JSON number"
        case controlCharacter = "a control character in a string must be escaped"
        case badEscape = "not an escape that JSON knows"
        case loneSurrogate = "half of a surrogate pair"
        case tooDeep = "nested too deeply"
        case trailingBytes = "something stands after the end of the value"
    }

    /// The same limit as Foundation's parser.
    public static let maximumDepth = 512

    private let bytes: UnsafePointer<UInt8>
    private let end: Int
    public private(set) var position = 0
    /// Set by the first check that fails; `position` is then the place of the problem.
    public private(set) var problem: Problem?

    public init(_ text: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no address; any non-null one will do, since nothing is read from it.
        bytes = text.baseAddress.map { $0 } ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        end = text.count
    }

    public var isAtEnd: Bool { position >= end }

    /// The byte at the current position; 0 at the end.
    public var next: UInt8 { position < end ? bytes[position] : 0 }

    public mutating func skipWhitespace() {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// Skips `byte` if it is the next byte.
    public mutating func take(_ byte: UInt8) -> Bool {
        guard position < end, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// Records the first problem. Always returns false.
    public mutating func fail(_ found: Problem) -> Bool {
        if problem == nil { problem = position >= end ? .unexpectedEnd : found }
        return false
    }

    /// Skips any value. White space before it must have been skipped.
    public mutating func value(depth: Int = 0) -> Bool {
        guard position < end else { return fail(.unexpectedEnd) }
        switch bytes[position] {
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

    private mutating func container(closing: UInt8, keyed: Bool, depth: Int) -> Bool {
        guard depth < Self.maximumDepth else { return fail(.tooDeep) }
        position += 1
        skipWhitespace()
        if take(closing) { return true }
        while true {
            if keyed, !key() { return false }
            guard value(depth: depth + 1) else { return false }
            skipWhitespace()
            if take(closing) { return true }
            guard take(UInt8(ascii: ",")) else { return fail(.expectedCommaOrEnd) }
            skipWhitespace()
        }
    }

    /// Skips a key, its colon and the white space after each.
    public mutating func key() -> Bool {
        guard next == UInt8(ascii: "\"") else { return fail(.expectedKey) }
        guard string() else { return false }
        skipWhitespace()
        guard take(UInt8(ascii: ":")) else { return fail(.expectedColon) }
        skipWhitespace()
        return true
    }

    private mutating func word(_ expected: StaticString) -> Bool {
        for index in 0..<expected.utf8CodeUnitCount {
            guard position < end, bytes[position] == expected.utf8Start[index] else { return fail(.expectedValue) }
            position += 1
        }
        return true
    }

    private mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")), !digits() { return fail(.badNumber) }
        if take(UInt8(ascii: ".")), !digits() { return fail(.badNumber) }
        if next | 0x20 == UInt8(ascii: "e") {
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if !digits() { return fail(.badNumber) }
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = position
        while position < end, bytes[position] &- 0x30 < 10 { position += 1 }
        return position > start
    }

    /// Skips a string, quotes included. The current position must be the opening quote.
    public mutating func string() -> Bool {
        position += 1
        while position < end {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return true
            }
            if byte == UInt8(ascii: "\\") {
                guard escape() else { return false }
            } else if byte < 0x20 {
                return fail(.controlCharacter)
            } else {
                position += 1
            }
        }
        return fail(.unexpectedEnd)
    }

    private mutating func escape() -> Bool {
        guard position + 1 < end else {
            position = end
            return fail(.unexpectedEnd)
        }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
            return true
        case UInt8(ascii: "u"):
            return unicodeEscape()
        default:
            return fail(.badEscape)
        }
    }

    private mutating func unicodeEscape() -> Bool {
        guard let unit = JSONText.hexadecimal(bytes + position + 2, available: end - position - 2) else {
            return fail(.badEscape)
        }
        guard unit & 0xF800 == 0xD800 else {
            position += 6
            return true
        }
        guard unit < 0xDC00, position + 12 <= end, bytes[position + 6] == UInt8(ascii: "\\"),
            bytes[position + 7] == UInt8(ascii: "u"),
            let low = JSONText.hexadecimal(bytes + position + 8, available: 4), low & 0xFC00 == 0xDC00
        else { return fail(.loneSurrogate) }
        position += 12
        return true
    }
}

/// Undoes the escapes of JSON strings.
public enum JSONText {
    /// Appends the decoded inside of a JSON string as UTF-8. The string must have passed `JSONScanner`.
    public static func unescape(_ inside: UnsafeBufferPointer<UInt8>, into output: ByteBuffer) {
        guard let bytes = inside.baseAddress else { return }
        // An escape is never shorter than the character it encodes.
        var out = output.reserve(inside.count)
        let start = out
        var index = 0
        while index < inside.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\\"), index + 1 < inside.count else {
                out.pointee = byte
                out += 1
                index += 1
                continue
            }
            let letter = bytes[index + 1]
            if letter == UInt8(ascii: "u") {
                let (scalar, length) = unicodeEscape(bytes + index, inside.count - index)
                out = put(scalar, at: out)
                index += length
                continue
            }
            out.pointee = plain(letter)
            out += 1
            index += 2
        }
        output.advance(out - start)
    }

    private static func plain(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// The scalar of `\uXXXX` or of a surrogate pair, and how many bytes it took.
    private static func unicodeEscape(_ bytes: UnsafePointer<UInt8>, _ available: Int) -> (UInt32, Int) {
        let unit = hexadecimal(bytes + 2, available: available - 2) ?? 0xFFFD
        guard unit & 0xFC00 == 0xD800, available >= 12, let low = hexadecimal(bytes + 8, available: 4) else {
            return (unit, 6)
        }
        return (0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF), 12)
    }

    private static func put(_ scalar: UInt32, at out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        func low(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: (scalar >> shift) & 0x3F) }
        if scalar < 0x80 {
            out[0] = UInt8(truncatingIfNeeded: scalar)
            return out + 1
        }
        if scalar < 0x800 {
            out[0] = 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6)
            out[1] = low(0)
            return out + 2
        }
        if scalar < 0x10000 {
            out[0] = 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12)
            out[1] = low(6)
            out[2] = low(0)
            return out + 3
        }
        out[0] = 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
        out[1] = low(12)
        out[2] = low(6)
        out[3] = low(0)
        return out + 4
    }

    /// The value of four hexadecimal digits; nil if there aren't four.
    static func hexadecimal(_ digits: UnsafePointer<UInt8>, available: Int) -> UInt32? {
        guard available >= 4 else { return nil }
        var value: UInt32 = 0
        for index in 0..<4 {
            let digit = digits[index]
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - 0x57)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - 0x37)
            default: return nil
            }
        }
        return value
    }
}
