/// Turns a line's UTF-8 bytes into a model's token ids.
///
/// A tokenizer is immutable and shared by all threads; each thread has its own `TokenizerScratch`.
public protocol Tokenizer: Sendable {
    /// Ids run from 0 to `vocabularySize` − 1.
    var vocabularySize: Int { get }

    /// Appends the ids of one line to `tokens.ids`, special tokens included, cut to `maximumLength` ids in all.
    ///
    /// `line` must be valid UTF-8 (the framer checks it). Doesn't end the line: `TokenBatch.append` does.
    func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32])
}

extension Tokenizer {
    /// The ids of one line, for tests and tools; performance-critical code uses the buffer form.
    public func encode(_ line: some Sequence<UInt8>, maximumLength: Int = Int(Int32.max)) -> [Int32] {
        var ids: [Int32] = []
        Array(line).withUnsafeBufferPointer {
            encode($0, maximumLength: maximumLength, scratch: TokenizerScratch(), into: &ids)
        }
        return ids
    }
}

/// Working memory of one thread's tokenisation; grows to the size of the longest line and is reused.
///
/// Buffers with an `other…` are swapped with it between steps.
public final class TokenizerScratch {
    /// The normalised text of the current stretch.
    var normalized = GrowableBuffer<UInt8>()
    var otherNormalized = GrowableBuffer<UInt8>()
    /// Text with spaces replaced by Metaspace.
    var marked = GrowableBuffer<UInt8>()
    var otherMarked = GrowableBuffer<UInt8>()
    /// Pairs (start, end) of the pieces made by the pre-tokenizers.
    var pieces = GrowableBuffer<Int32>()
    var otherPieces = GrowableBuffer<Int32>()
    /// Code points with their combining classes, for Unicode normalisation.
    var scalars = GrowableBuffer<UInt64>()
    /// Best path of the Unigram model: a node for each byte position.
    var nodes = GrowableBuffer<UnigramModel.Node>()

    public init() {}

    func swapNormalized() { swap(&normalized, &otherNormalized) }
    func swapMarked() { swap(&marked, &otherMarked) }
    func swapPieces() { swap(&pieces, &otherPieces) }
}

/// Token ids of several lines stored end to end, without padding.
///
/// Line `i` is `ids[offsets[i] ..< offsets[i + 1]]`.
public struct TokenBatch: Sendable {
    public var ids: [Int32] = []
    /// `count + 1` offsets into `ids`; the first is 0.
    public private(set) var offsets: [Int32] = [0]

    public init() {}

    public var count: Int { offsets.count - 1 }

    public func length(_ line: Int) -> Int { Int(offsets[line + 1] - offsets[line]) }

    /// Empties the batch; its memory is reused.
    public mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    /// Tokenises and appends a line.
    public mutating func append(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, with tokenizer: some Tokenizer,
        scratch: TokenizerScratch
    ) {
        tokenizer.encode(line, maximumLength: maximumLength, scratch: scratch, into: &ids)
        offsets.append(Int32(ids.count))
    }

    /// Appends a line whose ids `body` appends.
    public mutating func append(_ body: (inout [Int32]) -> Void) {
        body(&ids)
        offsets.append(Int32(ids.count))
    }

    /// Appends a line given as ids.
    public mutating func append(ids line: some Sequence<Int32>) {
        ids.append(contentsOf: line)
        offsets.append(Int32(ids.count))
    }
}
