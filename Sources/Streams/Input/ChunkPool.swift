/// A fixed set of equal blocks of memory that lines are read into and stay in until they have been decoded.
///
/// `@unchecked Sendable`: the pointers never change. A block's bytes are written by the reader before it hands out the
/// records that cover them, and never again until every one of those records has been given back; the hand-over is the
/// queue's lock.
public final class ChunkPool: @unchecked Sendable {
    public let chunkBytes: Int
    public let count: Int
    private let memory: UnsafeMutablePointer<UInt8>

    public init(count: Int, chunkBytes: Int) {
        precondition(count > 0 && chunkBytes > 0 && chunkBytes <= Int(UInt32.max))
        self.count = count
        self.chunkBytes = chunkBytes
        memory = .allocate(capacity: count * chunkBytes)
    }

    deinit { memory.deallocate() }

    /// The first byte of chunk `index`.
    public func base(_ index: Int32) -> UnsafeMutablePointer<UInt8> {
        precondition(index >= 0 && index < count)
        return memory + Int(index) * chunkBytes
    }

    /// The bytes of a record's line.
    public func bytes(of record: Record) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base(record.chunk) + Int(record.start), count: record.keptLength)
    }
}
