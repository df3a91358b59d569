import Glibc

/// A descriptor that is closed when nobody uses it any more: the committer may read it while the reader lets it go.
package final class OpenFile: Sendable {
    let descriptor: Int32

    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Bytes read at `offset`; 0 at the end, negative with errno where reading failed.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        while true {
            let count = pread(descriptor, room.baseAddress, room.count, off_t(offset))
            if count >= 0 || errno != EINTR { return count }
        }
    }

    /// Fills `room` from `offset` on as far as the file goes; how many bytes.
    func fill(_ room: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        var filled = 0
        while filled < room.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[filled...])
            let count = read(into: rest, at: offset + UInt64(filled))
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }
}
