/// Text inside the JSON strings and TSV fields of records. The text must be UTF-8; only the characters that the format
/// forbids are escaped. For messages and small files see `Quoting`.
extension ByteBuffer {
    /// `text` as the inside of a JSON string (RFC 8259 section 7): `"`, `\` and the control characters are escaped.
    public func appendJSONEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        guard let source = text.baseAddress else { return }
        let length = text.count
        // The worst case is six output bytes per byte (\u0001), and a whole word may be stored past the last one.
        let start = reserve(6 * length + 8)
        var out = start
        var index = 0
        while index + 8 <= length {
            let word = UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self)
            UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
            if Self.needsJSONEscape(word) {
                for byte in 0..<8 { out = Self.putEscaped(source[index + byte], at: out) }
            } else {
                out += 8
            }
            index += 8
        }
        while index < length {
            out = Self.putEscaped(source[index], at: out)
            index += 1
        }
        advance(out - start)
    }

    /// `text` as a JSON string, quotes included. For strings that are appended rarely.
    public func appendJSONString(_ text: String) {
        var text = text
        append(UInt8(ascii: "\""))
        text.withUTF8 { appendJSONEscaped($0) }
        append(UInt8(ascii: "\""))
    }

    /// `text` as a TSV field: tab, newline, carriage return and backslash become `\t`, `\n`, `\r` and `\\`.
    public func appendTSVEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        let start = reserve(2 * text.count)
        var out = start
        for byte in text {
            let letter: UInt8
            switch byte {
            case 0x09: letter = UInt8(ascii: "t")
            case 0x0A: letter = UInt8(ascii: "n")
            case 0x0D: letter = UInt8(ascii: "r")
            case 0x5C: letter = 0x5C
            default:
                out.pointee = byte
                out += 1
                continue
            }
            out[0] = 0x5C
            out[1] = letter
            out += 2
        }
        advance(out - start)
    }

    /// Whether any of the word's eight bytes is a control character, a quote or a backslash.
    ///
    /// The `hasless` and `haszero` tests of 'Bit Twiddling Hacks' (S. E. Anderson); exact for the whole word, not for
    /// single bytes.
    @inline(__always)
    private static func needsJSONEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let control = (word &- ones &* 0x20) & ~word
        return (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & highs != 0
    }

    @inline(__always)
    private static func putEscaped(
        _ byte: UInt8, at out: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        if byte >= 0x20, byte != 0x22, byte != 0x5C {
            out.pointee = byte
            return out + 1
        }
        out[0] = 0x5C
        switch byte {
        case 0x22, 0x5C: out[1] = byte
        case 0x08: out[1] = UInt8(ascii: "b")
        case 0x09: out[1] = UInt8(ascii: "t")
        case 0x0A: out[1] = UInt8(ascii: "n")
        case 0x0C: out[1] = UInt8(ascii: "f")
        case 0x0D: out[1] = UInt8(ascii: "r")
        default:
            out[1] = UInt8(ascii: "u")
            out[2] = 0x30
            out[3] = 0x30
            out[4] = 0x30 + (byte >> 4)
            let low = byte & 15
            out[5] = low < 10 ? 0x30 + low : 0x57 + low
            return out + 6
        }
        return out + 2
    }
}
