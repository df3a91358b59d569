import Glibc

/// Counts and finds line ends.
enum LineFeeds {
    static func count(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard var place = bytes.baseAddress else { return 0 }
        let end = place + bytes.count
        var count = 0
        while place < end, let found = memchr(place, 0x0A, end - place) {
            count += 1
            place = UnsafeRawPointer(found) + 1
        }
        return count
    }

    /// Behind the last LF; 0 if there is none.
    static func endOfLast(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var end = bytes.count
        while end > 0, base.load(fromByteOffset: end - 1, as: UInt8.self) != 0x0A { end -= 1 }
        return end
    }

    /// Those of `file` from `start` up to `end`.
    static func count(_ file: OpenFile, from start: UInt64, to end: UInt64) throws(CannotTell) -> UInt64 {
        var failure: CannotTell?
        let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            var count: UInt64 = 0
            var offset = start
            while offset < end {
                let part = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(min(UInt64(room.count), end - offset))])
                do throws(CannotTell) {
                    let read = try file.read(into: part, at: offset)
                    guard read > 0 else { break }
                    count += UInt64(Self.count(UnsafeRawBufferPointer(rebasing: part[..<read])))
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
