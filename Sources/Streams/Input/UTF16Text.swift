/// Turns lines of UTF-16 into UTF-8.
enum UTF16Text {
    /// Puts the line into `text`; nil if all is well, otherwise the flaw at the first byte that can't be decoded: half a
    /// surrogate pair, half a code unit (RFC 2781), or U+0000.
    ///
    /// `isOdd`: the line begins within a code unit, because it follows a file's end that did.
    static func convert(
        _ line: UnsafeBufferPointer<UInt8>, _ unit: CodeUnit, isOdd: Bool, _ encoding: TextEncoding,
        into text: ByteBuffer
    ) -> LineFlaw? {
        text.removeAll()
        guard let bytes = line.baseAddress, line.count > 0 else { return nil }
        if isOdd { return .notInEncoding(at: 1, encoding) }
        // At most three bytes for each unit; a surrogate pair takes four.
        let start = text.reserve(line.count / 2 * 3)
        var output = start
        var place = 0
        while place + 1 < line.count {
            let code = unit.value(bytes[place], bytes[place + 1])
            switch code {
            case 0: return .containsNUL(at: place + 1)
            case ..<0x80:
                output[0] = UInt8(code)
                output += 1
            case ..<0x800:
                output[0] = 0xC0 | UInt8(code >> 6)
                output[1] = 0x80 | UInt8(code & 0x3F)
                output += 2
            case 0xD800..<0xDC00:
                guard place + 3 < line.count else { return .notInEncoding(at: place + 1, encoding) }
                let low = unit.value(bytes[place + 2], bytes[place + 3])
                guard low >= 0xDC00, low < 0xE000 else { return .notInEncoding(at: place + 1, encoding) }
                let scalar = 0x1_0000 + (UInt32(code - 0xD800) << 10 | UInt32(low - 0xDC00))
                output[0] = 0xF0 | UInt8(scalar >> 18)
                output[1] = 0x80 | UInt8(scalar >> 12 & 0x3F)
                output[2] = 0x80 | UInt8(scalar >> 6 & 0x3F)
                output[3] = 0x80 | UInt8(scalar & 0x3F)
                output += 4
                place += 2
            case 0xDC00..<0xE000: return .notInEncoding(at: place + 1, encoding)
            default:
                output[0] = 0xE0 | UInt8(code >> 12)
                output[1] = 0x80 | UInt8(code >> 6 & 0x3F)
                output[2] = 0x80 | UInt8(code & 0x3F)
                output += 3
            }
            place += 2
        }
        if place < line.count { return .notInEncoding(at: place + 1, encoding) }
        text.advance(output - start)
        return nil
    }
}
