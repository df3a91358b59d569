/// A fixed set of equally sized memory blocks. Lines are read into a block and stay in it until they have been decoded.
///
/// `@unchecked Sendable`: the pointers never change. The reader writes a block's bytes before it passes on the records
/// that cover them, and writes again only after all of those records have been returned. The queue's lock orders the
/// hand-over.
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
