import Glibc

/// A descriptor that is closed with its last reference: the committer may read it while the reader releases it.
package final class OpenFile: Sendable {
    let descriptor: Int32
    let calls: DirectoryCalls

    package init(_ descriptor: Int32, _ calls: DirectoryCalls = DirectoryCalls()) {
        self.descriptor = descriptor
        self.calls = calls
    }

    deinit { close(descriptor) }

    /// Returns the number of bytes read at `offset`; 0 at the end.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(CannotTell) -> Int {
        while true {
            let count = calls.read(descriptor, room, offset)
            if count >= 0 { return count }
            let number = errno
            if number != EINTR { throw CannotTell(number: number) }
        }
    }

    /// Fills `room` from `offset` up to the file's end; returns the number of bytes.
    func fill(_ room: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(CannotTell) -> Int {
        var filled = 0
        while filled < room.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[filled...])
            let count = try read(into: rest, at: offset + UInt64(filled))
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }

    /// Up to `count` bytes from `offset` on; fewer at the end.
    func bytes(_ count: Int, at offset: UInt64) throws(CannotTell) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: CannotTell?
        let found = bytes.withUnsafeMutableBytes { room in
            do throws(CannotTell) { return try fill(room, at: offset) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        bytes.removeSubrange(found...)
        return bytes
    }

    /// The first bytes.
    func start(_ count: Int) throws(CannotTell) -> [UInt8] { try bytes(count, at: 0) }

    /// nil at the end.
    func byte(at offset: UInt64) throws(CannotTell) -> UInt8? { try bytes(1, at: offset).first }

    /// The offset of the next data outside a hole at or behind `offset`; `end` if there is none before it, `offset` if
    /// unknown.
    func nextData(from offset: UInt64, end: UInt64) -> UInt64 {
        let found = calls.nextData(descriptor, offset)
        if found >= 0 { return min(max(UInt64(found), offset), end) }
        return errno == ENXIO ? max(end, offset) : offset
    }
}

/// Counts and finds line ends.
enum LineFeeds {
    /// `offset`: the offset of the bytes in their file.
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

    /// The position behind the last LF; 0 if there is none.
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
                    // Whole pairs: a part ends at an even offset unless the file, or the counted range, ends there.
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
