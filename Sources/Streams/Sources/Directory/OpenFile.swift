import Glibc

/// A descriptor that is closed when it isn't used any more: the committer may read it while the reader lets it go.
package final class OpenFile: Sendable {
    let descriptor: Int32
    let calls: DirectoryCalls

    package init(_ descriptor: Int32, _ calls: DirectoryCalls = DirectoryCalls()) {
        self.descriptor = descriptor
        self.calls = calls
    }

    deinit { close(descriptor) }

    /// Bytes read at `offset`; 0 at the end.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(CannotTell) -> Int {
        while true {
            let count = calls.read(descriptor, room, offset)
            if count >= 0 { return count }
            let number = errno
            if number != EINTR { throw CannotTell(number: number) }
        }
    }

    /// Fills `room` from `offset` on as far as the file goes; how many bytes.
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

    /// Up to so many bytes from `offset` on; fewer at the end.
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

    /// Where the next bytes are at or behind `offset` that are no hole; `end` where there are none before it, `offset`
    /// where that can't be told.
    func nextData(from offset: UInt64, end: UInt64) -> UInt64 {
        let found = calls.nextData(descriptor, offset)
        if found >= 0 { return min(max(UInt64(found), offset), end) }
        return errno == ENXIO ? max(end, offset) : offset
    }
}
