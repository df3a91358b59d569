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

extension Tokenizer {
    /// The ids of one line, for tests and tools; hot paths use the buffer form.
    public func encode(_ line: some Sequence<UInt8>, maximumLength: Int = Int(Int32.max)) -> [Int32] {
        var ids: [Int32] = []
        Array(line).withUnsafeBufferPointer {
            encode($0, maximumLength: maximumLength, scratch: TokenizerScratch(), into: &ids)
        }
        return ids
    }
}
