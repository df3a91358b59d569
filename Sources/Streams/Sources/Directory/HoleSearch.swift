import Glibc

/// Holes: NUL bytes where a line should start. A file has a hole if it was truncated while its writer continued at its
/// old offset, as with `copytruncate` of logrotate and a program that doesn't append, or if a power loss prevented the
/// data from being written.
package enum HoleSearch {
    /// What a block begins with; the number of bytes, at least one.
    package enum Beginning: Equatable {
        /// A hole follows it, or nothing.
        case data(Int)
        /// A line follows it, or nothing.
        case hole(Int)
    }

    /// Fewer consecutive NULs are part of a line, such as a line of undetected UTF-16.
    private static let leastHole = 4

    /// What `block`, which isn't empty, begins with. `offset`: its offset in the file. `isLineStart`: a line starts
    /// there. `isInHole`: the bytes before it were a hole.
    package static func beginning(
        of block: UnsafeRawBufferPointer, _ unit: CodeUnit, at offset: UInt64, isLineStart: Bool, isInHole: Bool
    ) -> Beginning {
        guard let base = block.baseAddress, let first = memchr(base, 0, block.count) else { return .data(block.count) }
        guard unit == .byte else {
            return pairedBeginning(of: block, unit, at: offset, isLineStart: isLineStart, isInHole: isInHole)
        }
        var place = UnsafeRawPointer(first) - base
        if place == 0, isLineStart {
            let run = run(block, 0)
            if run >= leastHole || isInHole { return .hole(run) }
        }
        while place < block.count, let found = memchr(base + place, 0, block.count - place) {
            place = UnsafeRawPointer(found) - base
            let run = run(block, place)
            let isHole = run >= leastHole || place + run == block.count
            if isHole, place > 0, block[place - 1] == 0x0A { return .data(place) }
            place += run
        }
        return .data(block.count)
    }

    /// The same for UTF-16, in which a hole consists of pairs of NULs.
    private static func pairedBeginning(
        of block: UnsafeRawBufferPointer, _ unit: CodeUnit, at offset: UInt64, isLineStart: Bool, isInHole: Bool
    ) -> Beginning {
        var place = Int(offset % 2)
        if place == 0, isLineStart {
            let run = pairedRun(block, 0)
            if run >= leastHole || isInHole && run > 0 { return .hole(run) }
        }
        while place + 1 < block.count {
            let run = pairedRun(block, place)
            let isHole = run >= leastHole || run > 0 && place + run + 1 >= block.count
            if isHole, place >= 2, unit.isPair(block[place - 2], block[place - 1], 0x0A) { return .data(place) }
            place += max(run, 2)
        }
        return .data(block.count)
    }

    /// Whether a block consists of NULs only.
    package static func isHole(_ block: UnsafeRawBufferPointer) -> Bool {
        guard let base = block.baseAddress, block.count > 0, block[0] == 0 else { return false }
        return memcmp(base, base + 1, block.count - 1) == 0
    }

    /// The number of consecutive NULs at `start`.
    private static func run(_ block: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var end = start
        while end < block.count, block[end] == 0 { end += 1 }
        return end - start
    }

    /// The number of bytes in the run of NUL pairs at `start`.
    private static func pairedRun(_ block: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var end = start
        while end + 1 < block.count, block[end] == 0, block[end + 1] == 0 { end += 2 }
        return end - start
    }
}
