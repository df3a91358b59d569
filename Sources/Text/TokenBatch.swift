/// Token ids of several lines laid end to end, without padding.
///
/// Line `i` owns `ids[offsets[i] ..< offsets[i + 1]]`.
public struct TokenBatch: Sendable {
    public var ids: [Int32] = []
    /// `count + 1` offsets into `ids`; the first is 0.
    public private(set) var offsets: [Int32] = [0]

    public init() {}

    public var count: Int { offsets.count - 1 }

    public func length(_ line: Int) -> Int { Int(offsets[line + 1] - offsets[line]) }

    /// Empties the batch and keeps its memory.
    public mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    /// Tokenises one more line.
    public mutating func append(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, with tokenizer: some Tokenizer,
        scratch: TokenizerScratch
    ) {
        tokenizer.encode(line, maximumLength: maximumLength, scratch: scratch, into: &ids)
        offsets.append(Int32(ids.count))
    }

    /// One more line, whose ids `body` appends.
    public mutating func append(_ body: (inout [Int32]) -> Void) {
        body(&ids)
        offsets.append(Int32(ids.count))
    }

    /// One more line given as ids.
    public mutating func append(ids line: some Sequence<Int32>) {
        ids.append(contentsOf: line)
        offsets.append(Int32(ids.count))
    }
}
