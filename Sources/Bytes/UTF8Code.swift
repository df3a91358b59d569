/// UTF-8 (RFC 3629) by code point.
public enum UTF8Code {
    /// The code point at `bytes[index]` and its length in bytes.
    ///
    /// For valid UTF-8. For other input the value is undefined but at most U+10FFFF, and nothing at or beyond `end` is
    /// read: a sequence cut off there is read as U+FFFD of length 1.
    @inlinable @inline(__always)
    public static func decode(
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

    @usableFromInline
    static func decodeRare(
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
    @inlinable public static func previousStart(_ bytes: UnsafePointer<UInt8>, before index: Int) -> Int {
        var start = index - 1
        while start > 0, bytes[start] & 0xC0 == 0x80, index - start < 4 { start -= 1 }
        return start
    }

    /// Writes a code point, at most 4 bytes; returns its length.
    @inlinable @inline(__always)
    public static func encode(_ scalar: UInt32, to bytes: UnsafeMutablePointer<UInt8>) -> Int {
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

    public static func encode(_ scalar: UInt32) -> [UInt8] {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { room -> [UInt8] in
            guard let base = room.baseAddress else { return [] }
            return Array(UnsafeBufferPointer(start: base, count: encode(scalar, to: base)))
        }
    }

    /// The code points of valid UTF-8.
    public static func scalars(_ bytes: [UInt8]) -> [UInt32] {
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
