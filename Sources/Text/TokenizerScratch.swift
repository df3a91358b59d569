/// Working memory of one thread's tokenising; grows to the longest line seen and is then reused.
///
/// Buffers with an `other…` trade places with it between steps.
public final class TokenizerScratch {
    /// The normalised text of the stretch at hand.
    var normalized = GrowableBuffer<UInt8>()
    var otherNormalized = GrowableBuffer<UInt8>()
    /// Text with spaces replaced by Metaspace.
    var marked = GrowableBuffer<UInt8>()
    var otherMarked = GrowableBuffer<UInt8>()
    /// Pairs (start, end) of the pieces that the pre-tokenizers cut.
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
