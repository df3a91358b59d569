import Text

/// Encodes a line for a student: token ids for the biLSTM, hashed n-grams for the shortcut. Immutable.
public struct StudentFeatures: Sendable {
    public let tokenizer: any Tokenizer
    private let hasher: NGramHasher?
    private let maximumTokens: Int
    private let framing: Framing
    /// The id of unknown tokens; nil if the tokenizer has none.
    let unknownToken: Int32?

    /// Ids that a tokenizer adds before and after every line (such as `[CLS]` and `[SEP]`). They carry no information
    /// about the line and cost a step each, so a student drops them.
    public struct Framing: Sendable, Equatable {
        public var first: Int32?
        public var last: Int32?

        public init(first: Int32? = nil, last: Int32? = nil) {
            self.first = first
            self.last = last
        }

        var count: Int { (first == nil ? 0 : 1) + (last == nil ? 0 : 1) }
    }

    public init(
        tokenizer: any Tokenizer, framing: Framing = Framing(), shortcutBuckets: Int, maximumTokens: Int,
        unknownToken: Int32? = nil
    ) {
        self.tokenizer = tokenizer
        hasher = shortcutBuckets > 0 ? NGramHasher(bits: shortcutBuckets.trailingZeroBitCount) : nil
        self.maximumTokens = maximumTokens
        self.framing = framing
        self.unknownToken = unknownToken
    }

    /// Appends one line of valid UTF-8.
    public func append(_ line: UnsafeBufferPointer<UInt8>, to batch: inout StudentBatch, scratch: TokenizerScratch) {
        appendTokens(line, to: &batch, scratch: scratch)
        batch.buckets.append { ids in appendBuckets(line, to: &ids) }
    }

    /// Appends only the line's n-grams.
    func appendBuckets(_ line: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
        hasher?.append(line, to: &ids)
    }

    /// Appends only the line's tokens.
    func appendTokens(_ line: UnsafeBufferPointer<UInt8>, to batch: inout StudentBatch, scratch: TokenizerScratch) {
        batch.tokens.append { ids in
            let start = ids.count
            tokenizer.encode(line, maximumLength: maximumTokens + framing.count, scratch: scratch, into: &ids)
            if let last = framing.last, ids.count > start, ids[ids.count - 1] == last { ids.removeLast() }
            if let first = framing.first, ids.count > start, ids[start] == first { ids.remove(at: start) }
        }
    }
}
