import Diagnostics
import Glibc

/// Holes: NUL bytes where a line should start. A file has one when it was cut while its writer went on at its old place,
/// as `copytruncate` of logrotate does to a program that doesn't append, or when a power cut took what was to be there.
extension DirectoryReader {
    /// Fewer NULs in a row are part of a line, such as one in UTF-16 that isn't known to be that.
    private static let leastHole = 4

    /// How many bytes of a block can be handed out before a hole; 0 where the block began with one, which has been
    /// passed over. The block begins at the file's offset and isn't empty; a hole in it is followed by a line, or by
    /// nothing ever.
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

    /// The same of UTF-16, of which a hole is pairs of NULs.
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

    /// How many bytes of whole NUL pairs there are from `start` on.
    private static func pairedRun(_ block: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var end = start
        while end + 1 < block.count, block[end] == 0, block[end + 1] == 0 { end += 2 }
        return end - start
    }

    /// Whether there is nothing but NUL in a block.
    static func isHole(_ block: UnsafeRawBufferPointer) -> Bool {
        guard let base = block.baseAddress, block.count > 0, block[0] == 0 else { return false }
        return memcmp(base, base + 1, block.count - 1) == 0
    }

    private func passHole(_ file: TrackedFile, _ open: OpenFile, _ run: Int, isWholeBlock: Bool) throws(CannotTell) {
        var end = file.offset + UInt64(run)
        // What was never written isn't read: gigabytes of hole take no longer than a few bytes.
        if isWholeBlock { end = open.nextData(from: end, end: max(end, try FileStatus(open).size)) }
        // One that was cut meanwhile is looked at anew.
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
        // What follows is told of as another stretch of the same file.
        if announced === file { announced = nil }
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.offset = file.offset
                $0.mark = file.mark
            }
        }
    }

    /// How many NULs there are from `start` on.
    private static func run(_ block: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var end = start
        while end < block.count, block[end] == 0 { end += 1 }
        return end - start
    }
}
