/// Checks that bytes are UTF-8 without NUL, and finds the first byte that isn't.
public enum UTF8Check {
    /// nil if the text is valid; otherwise the flaw at the first invalid byte (RFC 3629: no overlong forms, no
    /// surrogates, nothing above U+10FFFF).
    public static func flaw(in text: UnsafeBufferPointer<UInt8>) -> LineFlaw? {
        guard let bytes = text.baseAddress else { return nil }
        let count = text.count
        var index = 0
        while index < count {
            let lead = bytes[index]
            if lead < 0x80 {
                if index + 8 <= count, isPlain(UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self)) {
                    index += 8
                    continue
                }
                if lead == 0 { return .containsNUL(at: index + 1) }
                index += 1
                continue
            }
            let length = sequenceLength(bytes + index, count - index, lead)
            guard length > 0 else { return .notUTF8(at: index + 1) }
            index += length
        }
        return nil
    }

    /// Eight ASCII bytes, none of them NUL.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        ((word &- 0x0101_0101_0101_0101) | word) & 0x8080_8080_8080_8080 == 0
    }

    /// Length of the sequence that `lead` (not ASCII) starts; 0 if it isn't well formed. Table 3-7 of the Unicode
    /// standard.
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
