/// UTF-8 (RFC 3629) by code point.
enum UTF8Code {
    /// The code point at `bytes[index]` and its length in bytes.
    ///
    /// For valid UTF-8. For other input the value is undefined but at most U+10FFFF, and nothing at or beyond `end` is
    /// read: a sequence cut off there is read as U+FFFD of length 1.
    @inline(__always)
    static func decode(
        _ bytes: UnsafePointer<UInt8>, at index: Int, end: Int
    ) -> (scalar: UInt32, length: Int) {
        let lead = UInt32(bytes[index])
        if lead < 0x80 { return (lead, 1) }
        if lead >= 0xE0, lead < 0xF0, index &+ 2 < end {
            let middle = UInt32(bytes[index &+ 1] & 0x3F) << 6
            return ((lead & 0x0F) << 12 | middle | UInt32(bytes[index &+ 2] & 0x3F), 3)
        }
        return decodeRare(bytes, at: index, end: end, lead: lead)
    }

    private static func decodeRare(
        _ bytes: UnsafePointer<UInt8>, at index: Int, end: Int, lead: UInt32
    ) -> (scalar: UInt32, length: Int) {
        let room = end &- index
        if lead < 0xE0, room >= 2 { return ((lead & 0x1F) << 6 | UInt32(bytes[index &+ 1] & 0x3F), 2) }
        if lead >= 0xF0, room >= 4 {
            let high = (lead & 0x07) << 18 | UInt32(bytes[index &+ 1] & 0x3F) << 12
            let low = UInt32(bytes[index &+ 2] & 0x3F) << 6 | UInt32(bytes[index &+ 3] & 0x3F)
            return (min(high | low, 0x10FFFF), 4)
        }
        return (0xFFFD, 1)
    }

    /// Start of the code point that ends before `index`; `index` must be above 0.
    static func previousStart(_ bytes: UnsafePointer<UInt8>, before index: Int) -> Int {
        var start = index - 1
        while start > 0, bytes[start] & 0xC0 == 0x80, index - start < 4 { start -= 1 }
        return start
    }

    /// Writes a code point, at most 4 bytes; returns its length.
    @inline(__always)
    static func encode(_ scalar: UInt32, to bytes: UnsafeMutablePointer<UInt8>) -> Int {
        if scalar < 0x80 {
            bytes[0] = UInt8(truncatingIfNeeded: scalar)
            return 1
        }
        if scalar < 0x800 {
            bytes[0] = 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6)
            bytes[1] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
            return 2
        }
        if scalar < 0x10000 {
            bytes[0] = 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12)
            bytes[1] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F)
            bytes[2] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
            return 3
        }
        bytes[0] = 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
        bytes[1] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F)
        bytes[2] = 0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F)
        bytes[3] = 0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F)
        return 4
    }

    static func encode(_ scalar: UInt32) -> [UInt8] {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { room -> [UInt8] in
            guard let base = room.baseAddress else { return [] }
            return Array(UnsafeBufferPointer(start: base, count: encode(scalar, to: base)))
        }
    }

    /// The code points of valid UTF-8.
    static func scalars(_ bytes: [UInt8]) -> [UInt32] {
        bytes.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return [] }
            var scalars: [UInt32] = []
            var index = 0
            while index < all.count {
                let (scalar, length) = decode(base, at: index, end: all.count)
                scalars.append(scalar)
                index += length
            }
            return scalars
        }
    }
}

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
                // The common path for Chinese text.
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

    /// The first index from `start` on whose byte isn't ASCII, testing eight bytes at a time.
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
