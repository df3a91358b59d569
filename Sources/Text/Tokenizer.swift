/// Turns a line's UTF-8 bytes into token ids, as a model sees them.
///
/// A tokenizer is immutable and shared by all threads; each thread brings its own `TokenizerScratch`.
public protocol Tokenizer: Sendable {
    /// Ids run from 0 to `vocabularySize` − 1.
    var vocabularySize: Int { get }

    /// Appends the ids of one line to `tokens.ids`, special tokens included, cut to `maximumLength` ids in all.
    ///
    /// `line` must be valid UTF-8 (the framer checks it). Doesn't close the line: `TokenBatch.append` does.
    func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32])
}

/// Working memory of one thread's tokenising; grows to the longest line seen and is then reused.
public final class TokenizerScratch {
    public var bytes: [UInt8] = []
    public var integers: [Int32] = []
    public var scores: [Float] = []
    public init() {}
}
