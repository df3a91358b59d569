import Glibc

/// Counts and finds line ends.
enum LineFeeds {
    /// `offset`: where the bytes are in their file.
    static func count(_ bytes: UnsafeRawBufferPointer, _ unit: CodeUnit = .byte, at offset: UInt64 = 0) -> Int {
        guard var place = bytes.baseAddress else { return 0 }
        guard unit == .byte else { return countPaired(bytes, unit, at: offset) }
        let end = place + bytes.count
        var count = 0
        while place < end, let found = memchr(place, 0x0A, end - place) {
            count += 1
            place = UnsafeRawPointer(found) + 1
        }
        return count
    }

    /// Behind the last LF; 0 if there is none.
    static func endOfLast(_ bytes: UnsafeRawBufferPointer, _ unit: CodeUnit = .byte, at offset: UInt64 = 0) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        guard unit == .byte else { return endOfLastPaired(bytes, unit, at: offset) }
        var end = bytes.count
        while end > 0, base.load(fromByteOffset: end - 1, as: UInt8.self) != 0x0A { end -= 1 }
        return end
    }

    private static func countPaired(_ bytes: UnsafeRawBufferPointer, _ unit: CodeUnit, at offset: UInt64) -> Int {
        bytes.withMemoryRebound(to: UInt8.self) { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            var place = 0
            var count = 0
            while let found = unit.pairedLineFeed(
                base, from: place, lowest: place, to: bytes.count, isOdd: offset % 2 != 0)
            {
                count += 1
                place = found + 2
            }
            return count
        }
    }

    private static func endOfLastPaired(_ bytes: UnsafeRawBufferPointer, _ unit: CodeUnit, at offset: UInt64) -> Int {
        var end = bytes.count - Int((offset + UInt64(bytes.count)) % 2)
        while end >= 2, !unit.isPair(bytes[end - 2], bytes[end - 1], 0x0A) { end -= 2 }
        return end >= 2 ? end : 0
    }

    /// Those of `file` from `start` up to `end`.
    static func count(
        _ file: OpenFile, _ unit: CodeUnit, from start: UInt64, to end: UInt64
    ) throws(CannotTell) -> UInt64 {
        var failure: CannotTell?
        let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            var count: UInt64 = 0
            var offset = start
            while offset < end {
                let part = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(min(UInt64(room.count), end - offset))])
                do throws(CannotTell) {
                    // Whole pairs: a part ends at an even offset unless the file, or what is counted, ends there.
                    var read = try unit == .byte ? file.read(into: part, at: offset) : file.fill(part, at: offset)
                    guard read > 0 else { break }
                    if unit != .byte, read > 1, (offset + UInt64(read)) % 2 != 0 { read -= 1 }
                    count += UInt64(Self.count(UnsafeRawBufferPointer(rebasing: part[..<read]), unit, at: offset))
                    offset += UInt64(read)
                } catch {
                    failure = error
                    break
                }
            }
            return count
        }
        if let failure { throw failure }
        return count
    }
}
