/// Bytes that are no text, as text.
extension ByteBuffer {
    /// `bytes` in base64 with padding (RFC 4648 section 4).
    public func appendBase64(_ bytes: UnsafeBufferPointer<UInt8>) {
        let start = reserve((bytes.count + 2) / 3 * 4)
        var out = start
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            out[0] = Self.base64Digit(group >> 18)
            out[1] = Self.base64Digit(group >> 12 & 63)
            out[2] = left > 1 ? Self.base64Digit(group >> 6 & 63) : UInt8(ascii: "=")
            out[3] = left > 2 ? Self.base64Digit(group & 63) : UInt8(ascii: "=")
            out += 4
            index += 3
        }
        advance(out - start)
    }

    private static func base64Digit(_ value: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
