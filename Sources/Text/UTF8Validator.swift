/// Checks that bytes are well-formed UTF-8 (RFC 3629; Unicode table 3-7: no surrogates, no overlong forms).
public enum UTF8Validator {
    public static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let end = bytes.count
        var index = 0
        while index < end {
            let lead = base[index]
            if lead < 0x80 {
                index &+= 1
                index = skipASCII(base, from: index, end: end)
            } else if lead >= 0xE0, lead < 0xF0 {
                // Chinese text is here nearly always.
                guard end &- index >= 3, isContinuation(base[index &+ 2]) else { return false }
                let second = base[index &+ 1]
                let lowest: UInt8 = lead == 0xE0 ? 0xA0 : 0x80
                let highest: UInt8 = lead == 0xED ? 0x9F : 0xBF
                guard second >= lowest, second <= highest else { return false }
                index &+= 3
            } else if lead >= 0xC2, lead < 0xE0 {
                guard end &- index >= 2, isContinuation(base[index &+ 1]) else { return false }
                index &+= 2
            } else if lead >= 0xF0, lead < 0xF5 {
                guard end &- index >= 4, isContinuation(base[index &+ 2]), isContinuation(base[index &+ 3])
                else { return false }
                let second = base[index &+ 1]
                let lowest: UInt8 = lead == 0xF0 ? 0x90 : 0x80
                let highest: UInt8 = lead == 0xF4 ? 0x8F : 0xBF
                guard second >= lowest, second <= highest else { return false }
                index &+= 4
            } else {
                return false
            }
        }
        return true
    }

    public static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { isValid($0) }
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// The first index from `start` on whose byte isn't ASCII, eight bytes at a step.
    @inline(__always)
    private static func skipASCII(_ base: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
        var index = start
        while end &- index >= 8 {
            let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
            let high = word & 0x8080_8080_8080_8080
            if high != 0 { return index &+ high.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < end, base[index] < 0x80 { index &+= 1 }
        return index
    }
}
