/// A line as the framer found it: a range of a chunk, and where it came from. Plain numbers, copied freely.
public struct Record: Sendable, Equatable {
    /// Where the line starts in its origin, in bytes from the beginning.
    public var offset: UInt64
    /// Where the next line starts.
    public var end: UInt64
    /// Counting from 1; blank and refused lines count.
    public var number: UInt64
    /// The line's bytes in its chunk, line end excluded. Nothing is kept of a line that is too long.
    public var start: UInt32
    /// How many bytes the line has; for one that is too long, all that were skipped (at most UInt32.max).
    public var length: UInt32
    /// Which chunk of the pool holds the bytes.
    public var chunk: Int32
    /// Which of its lane's origins the line belongs to.
    public var origin: Int32
    public var kind: Kind

    public enum Kind: UInt8, Sendable {
        case line
        case tooLong
        /// A line of which only a part is left, at the end of a damaged archive: with it its origin has ended. The next
        /// line starts where it does, since more of it may come.
        case torn
        case tornAndTooLong
        /// No line at all: the origin begins at `offset`, which is worth keeping even if no line follows.
        case opening
        /// No line at all: the origin has ended at `offset`.
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

    /// Whether there is a line, taken or not.
    public var isLine: Bool { kind != .opening && kind != .ending }

    /// Whether the origin has ended with it.
    public var endsOrigin: Bool { kind == .ending || isTorn }

    /// The number of the line that starts at `end`.
    public var nextNumber: UInt64 { isLine && !isTorn ? number + 1 : number }

    /// How many bytes of the chunk belong to the line.
    public var keptLength: Int { kind == .line || kind == .torn ? Int(length) : 0 }
}
