import Glibc

/// Splits a stream of bytes into lines, independently of how the reads split it.
///
/// - A line ends at LF; a CR right before it is dropped too. Any bytes after the last LF are a line.
/// - A byte order mark at the very start of the stream is dropped.
/// - In UTF-16 a line ends at the pair of bytes that is LF, at an even offset; lengths and offsets are still in bytes.
/// - A line longer than the maximum is skipped as it is read and yields a record that says so.
///
/// The bytes stay where they were read, in a chunk that the caller owns: the framer returns ranges. When a chunk is
/// full the caller moves the unfinished line (`unfinishedStart` …) to the front of the next one and calls `relocate`.
public struct LineFramer: Sendable {
    /// The default maximum line length in bytes: far above any headline or news text, and small enough that a binary
    /// file sent by mistake takes little memory.
    public static let defaultMaximumLineBytes = 65_536
    /// The largest value that can be configured: a line of 1 MiB is always refused.
    public static let greatestMaximumLineBytes = 1_048_575
    /// Bytes around a line that don't count towards its length: a byte order mark, a CR, and in UTF-16 half an LF.
    private static let slack = 4
    private static let pairedSlack = 5

    public let maximumLineBytes: Int
    /// The origin of the lines, as an index in the lane.
    public let origin: Int32
    public let unit: CodeUnit
    /// Where the unfinished line starts in the current chunk.
    public private(set) var unfinishedStart = 0

    private var scanned = 0
    private var lineOffset: UInt64 = 0
    private var lineNumber: UInt64 = 1
    private var skippedBytes: UInt64 = 0
    private var skippedEndsInCR = false

    /// Begins at `offset` of an origin with line `number`; its first byte will be at `position` of the current chunk.
    public init(
        maximumLineBytes: Int = LineFramer.defaultMaximumLineBytes, origin: Int32 = 0, offset: UInt64 = 0,
        number: UInt64 = 1, position: Int = 0, unit: CodeUnit = .byte
    ) {
        precondition(maximumLineBytes > 0 && maximumLineBytes <= Self.greatestMaximumLineBytes)
        self.maximumLineBytes = maximumLineBytes
        self.origin = origin
        self.unit = unit
        lineOffset = offset
        lineNumber = number
        unfinishedStart = position
        scanned = position
    }

    /// The record that marks the end of the origin, after its last line. It has no bytes.
    public func ending(chunk: Int32) -> Record {
        Record(
            offset: lineOffset, number: lineNumber, start: 0, length: 0, chunk: chunk, origin: origin, kind: .ending)
    }

    /// How many bytes of the unfinished line have been read.
    public func unfinishedBytes(upTo end: Int) -> UInt64 { skippedBytes + UInt64(end - unfinishedStart) }

    /// The maximum length of the unfinished line that the framer leaves in a chunk, in bytes.
    public var greatestUnfinished: Int { maximumLineBytes + (unit == .byte ? Self.slack : Self.pairedSlack) }

    /// Appends a record for every line that ends in `base[..<end]`, until `records` holds `limit`.
    ///
    /// `end` grows from call to call. Returns false when all of `base[..<end]` has been scanned, true when it must be
    /// called again.
    public mutating func frame(
        _ base: UnsafePointer<UInt8>, upTo end: Int, chunk: Int32, into records: inout [Record], limit: Int
    ) -> Bool {
        while records.count < limit {
            guard let newline = lineFeed(base, end) else {
                // The last byte may be the first half of an LF.
                scanned = unit == .byte ? end : max(scanned, end - 1)
                skipIfTooLong(base, end)
                return false
            }
            let next = newline + unit.width
            let end = lineOffset + UInt64(next - unfinishedStart) + skippedBytes
            records.append(record(base, endingAt: newline, next: end, chunk: chunk))
            lineOffset = end
            lineNumber += 1
            skippedBytes = 0
            unfinishedStart = next
            scanned = next
        }
        return true
    }

    /// The record of a last line without an LF; nil if the stream ended with an LF.
    public mutating func finish(_ base: UnsafePointer<UInt8>, upTo end: Int, chunk: Int32) -> Record? {
        guard end > unfinishedStart || skippedBytes > 0 else { return nil }
        let next = lineOffset + UInt64(end - unfinishedStart) + skippedBytes
        let last = record(base, endingAt: end, next: next, chunk: chunk)
        lineOffset = next
        lineNumber += 1
        skippedBytes = 0
        unfinishedStart = end
        scanned = end
        return last
    }

    /// The record of an unfinished line whose rest is lost; it also ends the origin. nil if there is no unfinished
    /// line.
    public mutating func tear(_ base: UnsafePointer<UInt8>, upTo end: Int, chunk: Int32) -> Record? {
        guard end > unfinishedStart || skippedBytes > 0 else { return nil }
        var torn = record(base, endingAt: end, next: lineOffset, chunk: chunk)
        torn.kind = torn.isTooLong ? .tornAndTooLong : .torn
        return torn
    }

    /// Notes that the unfinished line was moved to the front of another chunk.
    public mutating func relocate() {
        scanned -= unfinishedStart
        unfinishedStart = 0
    }

    private func record(
        _ base: UnsafePointer<UInt8>, endingAt end: Int, next: UInt64, chunk: Int32
    ) -> Record {
        var start = unfinishedStart
        var offset = lineOffset
        var length = end - start
        if skippedBytes > 0 {
            let endsInCR = length > 0 ? endsInCR(base, start, end) : skippedEndsInCR
            return tooLong(
                skippedBytes + UInt64(length) - (endsInCR ? UInt64(unit.width) : 0), start, chunk, offset, next)
        }
        let markBytes = markBytes(base, end)
        start += markBytes
        offset += UInt64(markBytes)
        length -= markBytes
        if endsInCR(base, start, end) { length -= unit.width }
        if length > maximumLineBytes { return tooLong(UInt64(length), start, chunk, offset, next) }
        return Record(
            offset: offset, end: next, number: lineNumber, start: UInt32(start), length: UInt32(length), chunk: chunk,
            origin: origin)
    }

    private func tooLong(
        _ length: UInt64, _ start: Int, _ chunk: Int32, _ offset: UInt64, _ next: UInt64
    ) -> Record {
        Record(
            offset: offset, end: next, number: lineNumber, start: UInt32(start), length: UInt32(clamping: length),
            chunk: chunk, origin: origin, kind: .tooLong)
    }

    /// The position of the first LF that hasn't been scanned yet.
    @inline(__always)
    private func lineFeed(_ base: UnsafePointer<UInt8>, _ end: Int) -> Int? {
        guard unit == .byte else {
            return unit.pairedLineFeed(
                base, from: scanned, lowest: unfinishedStart, to: end, isOdd: !isAligned(0))
        }
        guard let found = memchr(base + scanned, 0x0A, end - scanned) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// Whether this position of the chunk is at an even offset of the origin.
    private func isAligned(_ place: Int) -> Bool {
        (Int(truncatingIfNeeded: lineOffset &+ skippedBytes) &+ place &- unfinishedStart) & 1 == 0
    }

    /// Whether `base[start..<end]` ends in a CR.
    @inline(__always)
    private func endsInCR(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard unit != .byte else { return end > start && base[end - 1] == 0x0D }
        return end - start >= 2 && isAligned(end) && unit.isPair(base[end - 2], base[end - 1], 0x0D)
    }

    /// The length of the byte order mark of the stream, if the unfinished line starts with it.
    private func markBytes(_ base: UnsafePointer<UInt8>, _ end: Int) -> Int {
        guard lineNumber == 1, lineOffset == 0, skippedBytes == 0 else { return 0 }
        let start = base + unfinishedStart
        let count = end - unfinishedStart
        switch unit {
        case .byte: return count >= 3 && start[0] == 0xEF && start[1] == 0xBB && start[2] == 0xBF ? 3 : 0
        case .littleEndian: return count >= 2 && start[0] == 0xFF && start[1] == 0xFE ? 2 : 0
        case .bigEndian: return count >= 2 && start[0] == 0xFE && start[1] == 0xFF ? 2 : 0
        }
    }

    private mutating func skipIfTooLong(_ base: UnsafePointer<UInt8>, _ end: Int) {
        // Half a code unit is kept: it may be the first half of an LF.
        let end = unit == .byte || isAligned(end) ? end : end - 1
        guard end > unfinishedStart, skippedBytes > 0 || end - unfinishedStart > greatestUnfinished else { return }
        let markBytes = markBytes(base, end)
        unfinishedStart += markBytes
        lineOffset += UInt64(markBytes)
        let endsInCR = endsInCR(base, unfinishedStart, end)
        skippedBytes += UInt64(end - unfinishedStart)
        skippedEndsInCR = endsInCR
        unfinishedStart = end
        scanned = max(scanned, end)
    }
}
