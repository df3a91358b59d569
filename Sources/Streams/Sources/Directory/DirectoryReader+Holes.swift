import Diagnostics
import Glibc

/// Holes: NUL bytes where a line should start. A file has a hole if it was truncated while its writer continued at its
/// old offset, as with `copytruncate` of logrotate and a program that doesn't append, or if a power loss prevented the
/// data from being written.
extension DirectoryReader {
    /// Fewer consecutive NULs are part of a line, such as a line of undetected UTF-16.
    private static let leastHole = 4

    /// Returns how many bytes of a block can be handed out before a hole; 0 if the block began with a hole, which has
    /// been skipped. The block begins at the file's offset and isn't empty; a hole in it is followed by a line or by
    /// nothing.
    func beforeHole(
        _ file: TrackedFile, _ open: OpenFile, _ block: UnsafeRawBufferPointer
    ) throws(CannotTell) -> Int {
        guard let base = block.baseAddress, let first = memchr(base, 0, block.count) else {
            file.isInHole = false
            return block.count
        }
        guard file.unit == .byte else { return try beforePairedHole(file, open, block) }
        var place = UnsafeRawPointer(first) - base
        if place == 0, file.offset == file.lineStart {
            let run = Self.run(block, 0)
            if run >= Self.leastHole || file.isInHole {
                try passHole(file, open, run, isWholeBlock: run == block.count)
                return 0
            }
        }
        file.isInHole = false
        while place < block.count, let found = memchr(base + place, 0, block.count - place) {
            place = UnsafeRawPointer(found) - base
            let run = Self.run(block, place)
            let isHole = run >= Self.leastHole || place + run == block.count
            if isHole, place > 0, block[place - 1] == 0x0A { return place }
            place += run
        }
        return block.count
    }

    /// The same for UTF-16, in which a hole consists of pairs of NULs.
    private func beforePairedHole(
        _ file: TrackedFile, _ open: OpenFile, _ block: UnsafeRawBufferPointer
    ) throws(CannotTell) -> Int {
        var place = Int(file.offset % 2)
        if place == 0, file.offset == file.lineStart {
            let run = Self.pairedRun(block, 0)
            if run >= Self.leastHole || file.isInHole && run > 0 {
                try passHole(file, open, run, isWholeBlock: run == block.count)
                return 0
            }
        }
        file.isInHole = false
        while place + 1 < block.count {
            let run = Self.pairedRun(block, place)
            let isHole = run >= Self.leastHole || run > 0 && place + run + 1 >= block.count
            if isHole, place >= 2, file.unit.isPair(block[place - 2], block[place - 1], 0x0A) { return place }
            place += max(run, 2)
        }
        return block.count
    }

    /// The number of bytes in the run of NUL pairs at `start`.
    private static func pairedRun(_ block: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var end = start
        while end + 1 < block.count, block[end] == 0, block[end + 1] == 0 { end += 2 }
        return end - start
    }

    /// Whether a block consists of NULs only.
    static func isHole(_ block: UnsafeRawBufferPointer) -> Bool {
        guard let base = block.baseAddress, block.count > 0, block[0] == 0 else { return false }
        return memcmp(base, base + 1, block.count - 1) == 0
    }

    private func passHole(_ file: TrackedFile, _ open: OpenFile, _ run: Int, isWholeBlock: Bool) throws(CannotTell) {
        var end = file.offset + UInt64(run)
        // Unwritten ranges aren't read: gigabytes of hole take no longer than a few bytes.
        if isWholeBlock { end = open.nextData(from: end, end: max(end, try FileStatus(open).size)) }
        // If the file was truncated meanwhile, it is examined again.
        guard let found = try FileMark(open, upTo: end) else { throw CannotTell(number: EAGAIN) }
        if !file.isHoleReported {
            file.isHoleReported = true
            report(
                UnderstudyError(
                    .invalidData,
                    "a hole of NUL bytes is passed over: the file was cut while its writer went on at its old place",
                    at: "\(file.lastPath):byte \(file.offset)"))
        }
        file.passHole(to: end, found)
        // The data behind the hole is announced as another stretch of the same file.
        if announced === file { announced = nil }
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.offset = file.offset
                $0.mark = file.mark
            }
        }
    }

    /// The number of consecutive NULs at `start`.
    private static func run(_ block: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var end = start
        while end < block.count, block[end] == 0 { end += 1 }
        return end - start
    }
}
