/// A line as the framer found it: a range of a chunk, and where it came from. Plain numbers, copied freely.
public struct Record: Sendable, Equatable {
    /// Where the line starts in the stream, in bytes from its beginning.
    public var offset: UInt64
    /// Counting from 1; blank and refused lines count.
    public var number: UInt64
    /// The line's bytes in its chunk, line end excluded. Nothing is kept of a line that is too long.
    public var start: UInt32
    /// How many bytes the line has; for one that is too long, all that were skipped (at most UInt32.max).
    public var length: UInt32
    /// Which chunk of the pool holds the bytes.
    public var chunk: Int32
    public var isTooLong: Bool

    public init(offset: UInt64, number: UInt64, start: UInt32, length: UInt32, chunk: Int32, isTooLong: Bool = false) {
        self.offset = offset
        self.number = number
        self.start = start
        self.length = length
        self.chunk = chunk
        self.isTooLong = isTooLong
    }

    /// How many bytes of the chunk belong to the line.
    public var keptLength: Int { isTooLong ? 0 : Int(length) }
}
