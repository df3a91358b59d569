/// Checks that bytes are UTF-8 (RFC 3629; table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing
/// above U+10FFFF).
public enum UTF8Check {
    public static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        validPrefix(text, withNUL: true) == text.count
    }

    public static func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { isValid($0) } }

    /// The index of the first byte that isn't part of well-formed UTF-8; the count if there is none.
    public static func validPrefix(_ text: UnsafeBufferPointer<UInt8>) -> Int { validPrefix(text, withNUL: true) }

    /// The index of the first byte that is NUL or isn't part of well-formed UTF-8; the count if there is none.
    public static func validPrefixWithoutNUL(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        validPrefix(text, withNUL: false)
    }

    @inline(__always)
    private static func validPrefix(_ text: UnsafeBufferPointer<UInt8>, withNUL: Bool) -> Int {
        guard let bytes = text.baseAddress else { return 0 }
        let count = text.count
        var index = 0
        while index < count {
            let lead = bytes[index]
            if lead < 0x80 {
                if index + 8 <= count {
                    let word = UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self)
                    if isASCII(word, withNUL: withNUL) {
                        index += 8
                        continue
                    }
                }
                if !withNUL, lead == 0 { return index }
                index += 1
                continue
            }
            let length = sequenceLength(bytes + index, count - index, lead)
            guard length > 0 else { return index }
            index += length
        }
        return count
    }

    /// Whether the word is eight ASCII bytes; `withNUL`: NUL is one of them.
    @inline(__always)
    private static func isASCII(_ word: UInt64, withNUL: Bool) -> Bool {
        let highs: UInt64 = 0x8080_8080_8080_8080
        return (withNUL ? word : (word &- 0x0101_0101_0101_0101) | word) & highs == 0
    }

    /// Length of the sequence that `lead` (not ASCII) starts; 0 if it isn't well formed.
    @inline(__always)
    private static func sequenceLength(_ bytes: UnsafePointer<UInt8>, _ available: Int, _ lead: UInt8) -> Int {
        if lead >= 0xE0, lead < 0xF0 {
            guard available >= 3, bytes[1] & 0xC0 == 0x80, bytes[2] & 0xC0 == 0x80 else { return 0 }
            if lead == 0xE0, bytes[1] < 0xA0 { return 0 }
            if lead == 0xED, bytes[1] > 0x9F { return 0 }
            return 3
        }
        if lead < 0xE0 {
            return lead >= 0xC2 && available >= 2 && bytes[1] & 0xC0 == 0x80 ? 2 : 0
        }
        guard lead <= 0xF4, available >= 4, bytes[1] & 0xC0 == 0x80, bytes[2] & 0xC0 == 0x80, bytes[3] & 0xC0 == 0x80
        else { return 0 }
        if lead == 0xF0, bytes[1] < 0x90 { return 0 }
        if lead == 0xF4, bytes[1] > 0x8F { return 0 }
        return 4
    }
}
