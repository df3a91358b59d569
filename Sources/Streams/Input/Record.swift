/// A line as found by the framer: a range of a chunk, and its place in its origin. A plain value that is cheap to copy.
public struct Record: Sendable, Equatable {
    /// Where the line starts in its origin, in bytes from the beginning.
    public var offset: UInt64
    /// Where the next line starts.
    public var end: UInt64
    /// Counted from 1, blank and refused lines included.
    public var number: UInt64
    /// The start of the line's bytes in its chunk; the line end is excluded. Of a line that is too long no bytes are
    /// kept.
    public var start: UInt32
    /// The line's length in bytes; for a line that is too long, all bytes that were skipped (at most UInt32.max).
    public var length: UInt32
    /// The index of the pool's chunk that holds the bytes.
    public var chunk: Int32
    /// The origin of the line, as an index in the lane.
    public var origin: Int32
    public var kind: Kind

    public enum Kind: UInt8, Sendable {
        case line
        case tooLong
        /// A line of which only the beginning could be read, at the end of a damaged archive. It ends its origin. The
        /// next line starts at the same offset, since the archive may be completed later.
        case torn
        case tornAndTooLong
        /// Not a line: the origin begins at `offset`, which must be kept even if no line follows.
        case opening
        /// Not a line: the origin has ended at `offset`.
        case ending
    }

    public init(
        offset: UInt64, end: UInt64? = nil, number: UInt64, start: UInt32, length: UInt32, chunk: Int32,
        origin: Int32 = 0, kind: Kind = .line
    ) {
        self.offset = offset
        self.end = end ?? offset + UInt64(length)
        self.number = number
        self.start = start
        self.length = length
        self.chunk = chunk
        self.origin = origin
        self.kind = kind
    }

    public var isTooLong: Bool { kind == .tooLong || kind == .tornAndTooLong }
    public var isTorn: Bool { kind == .torn || kind == .tornAndTooLong }

    /// Whether the record is a line, accepted or not.
    public var isLine: Bool { kind != .opening && kind != .ending }

    /// Whether the origin ends with it.
    public var endsOrigin: Bool { kind == .ending || isTorn }

    /// The number of the line that starts at `end`.
    public var nextNumber: UInt64 { isLine && !isTorn ? number + 1 : number }

    /// The number of the line's bytes that are in the chunk.
    public var keptLength: Int { kind == .line || kind == .torn ? Int(length) : 0 }
}
