/// A tokenizer with a Unigram model (SentencePiece; Kudo 2018), equal to what Hugging Face `tokenizers` makes of the
/// same `tokenizer.json`. `TokenizerFiles.load` makes it.
public struct UnigramTokenizer: Tokenizer {
    public let vocabularySize: Int
    private let pipeline: TokenizerPipeline

    init(pipeline: TokenizerPipeline, vocabularySize: Int) {
        self.pipeline = pipeline
        self.vocabularySize = vocabularySize
    }

    public func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {
        pipeline.encode(line, maximumLength: maximumLength, scratch: scratch, into: &ids)
    }
}
