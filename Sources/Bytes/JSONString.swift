/// The inside of a JSON string.
public enum JSONString {
    /// The bytes between the quotes of the string whose opening quote is at `start`, and whether they have escapes. The
    /// string must have passed `JSONScanner`.
    @inlinable public static func inside(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> (bytes: UnsafeBufferPointer<UInt8>, hasEscapes: Bool) {
        var end = start + 1
        var hasEscapes = false
        while text[end] != UInt8(ascii: "\"") {
            if text[end] == UInt8(ascii: "\\") {
                hasEscapes = true
                end += 1
            }
            end += 1
        }
        return (UnsafeBufferPointer(rebasing: text[(start + 1)..<end]), hasEscapes)
    }

    /// Appends the inside of a JSON string, without its escapes, as UTF-8. The string must have passed `JSONScanner`.
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
                out += UTF8Code.encode(scalar, to: out)
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

    /// The value of four hexadecimal digits; nil if there aren't four.
    @inlinable static func hexadecimal(_ digits: UnsafePointer<UInt8>, available: Int) -> UInt32? {
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
