import Diagnostics

/// BERT's tokenizer: equal, token for token, to Hugging Face's `BertTokenizer` (Transformers 5).
///
/// Control characters go, white space becomes a space, ideographs stand alone, accents and case go if wanted; the text
/// is cut at white space and around punctuation, and each word into the longest pieces from the left (Devlin et al.
/// 2019; Wu et al. 2016).
public struct WordPieceTokenizer: Tokenizer {
    /// How text is prepared, with the names of `tokenizer_config.json`'s options.
    public struct Options: Sendable {
        /// `do_lower_case`
        public var lowercases = true
        /// `strip_accents`; nil: when lower-casing.
        public var stripsAccents: Bool?
        /// `tokenize_chinese_chars`
        public var spacesIdeographs = true

        public init() {}
    }

    /// A word of more code points is unknown.
    static let maximumCharacters = 100

    public let vocabularySize: Int
    private let pipeline: TokenizerPipeline

    init(pipeline: TokenizerPipeline, vocabularySize: Int) {
        self.pipeline = pipeline
        self.vocabularySize = vocabularySize
    }

    /// A tokenizer over a vocabulary that has `[UNK]`, `[CLS]` and `[SEP]`; these and, if there, `[PAD]` and `[MASK]`
    /// are kept whole where a text spells them out.
    public init(vocabulary: Vocabulary, options: Options = Options()) throws(UnderstudyError) {
        var definition = TokenizerDefinition(
            model: .wordPiece(
                pieces: vocabulary.entries, unknown: Array("[UNK]".utf8), continuingPrefix: Array("##".utf8),
                maximumCharacters: Self.maximumCharacters))
        definition.normalizers = NormalizerStep.bert(
            cleansText: true, spacesIdeographs: options.spacesIdeographs, stripsAccents: options.stripsAccents,
            lowercases: options.lowercases)
        definition.preTokenizers = [.bert]
        definition.prefix = [.text(Array("[CLS]".utf8))]
        definition.suffix = [.text(Array("[SEP]".utf8))]
        for name in ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"] where vocabulary.id(of: name.utf8) != nil {
            definition.addedTokens.append((.special(Array(name.utf8)), nil))
        }
        pipeline = try definition.build(place: "vocabulary").pipeline
        vocabularySize = vocabulary.count
    }

    public func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {
        pipeline.encode(line, maximumLength: maximumLength, scratch: scratch, into: &ids)
    }
}
