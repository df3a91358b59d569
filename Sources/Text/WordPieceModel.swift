import Diagnostics

/// Greedy longest-match-first segmentation of words (Wu et al. 2016; BERT's WordpieceTokenizer).
///
/// A class, so that passing it for each piece of text copies one reference.
final class WordPieceModel: Sendable {
    /// Leads from the root to the pieces that continue a word; the byte never occurs in UTF-8.
    private static let continuationByte: UInt8 = 0xFF

    private let trie: ByteTrie
    /// Where continuing pieces start in the trie; −1 if there are none.
    private let continuation: Int
    let unknown: Int32
    private let maximumCharacters: Int

    /// - Parameters:
    ///   - pieces: Every piece with its id, continuing ones with their prefix.
    ///   - maximumCharacters: A word of more code points is unknown.
    init(
        pieces: [(bytes: [UInt8], value: Int32)], unknown: Int32, continuingPrefix: [UInt8], maximumCharacters: Int
    ) {
        var keys: [(bytes: [UInt8], value: Int32)] = []
        for piece in pieces where !piece.bytes.isEmpty {
            keys.append(piece)
            if piece.bytes.starts(with: continuingPrefix), piece.bytes.count > continuingPrefix.count {
                keys.append(([Self.continuationByte] + piece.bytes.dropFirst(continuingPrefix.count), piece.value))
            }
        }
        trie = ByteTrie(keys)
        continuation = ByteTrie.step(trie.pointer, from: ByteTrie.root, Self.continuationByte)
        self.unknown = unknown
        self.maximumCharacters = maximumCharacters
    }

    /// Appends the ids of one non-empty word.
    @inline(__always)
    func append(_ word: UnsafePointer<UInt8>, _ length: Int, to ids: inout [Int32]) {
        if length > maximumCharacters, Self.characters(word, length) > maximumCharacters {
            ids.append(unknown)
            return
        }
        let units = trie.pointer
        let first = ids.count
        var index = 0
        var start = ByteTrie.root
        while index < length {
            var node = start
            var position = index
            var best: Int32 = -1
            var bestEnd = index
            while position < length {
                node = ByteTrie.step(units, from: node, word[position])
                if node < 0 { break }
                position &+= 1
                let value = units[node].value
                if value >= 0 {
                    best = value
                    bestEnd = position
                }
            }
            if best < 0 {
                ids.removeLast(ids.count - first)
                ids.append(unknown)
                return
            }
            ids.append(best)
            index = bestEnd
            start = continuation
            if start < 0, index < length {
                ids.removeLast(ids.count - first)
                ids.append(unknown)
                return
            }
        }
    }

    private static func characters(_ word: UnsafePointer<UInt8>, _ length: Int) -> Int {
        UnsafeBufferPointer(start: word, count: length).count { $0 & 0xC0 != 0x80 }
    }
}

/// BERT's tokenizer: equal, token for token, to Hugging Face's `BertTokenizer` (Transformers 5).
///
/// Control characters are removed, white space becomes a space, ideographs are separated, accents and case are removed
/// if configured; the text is split at white space and around punctuation, and each word into the longest pieces from
/// the left (Devlin et al. 2019; Wu et al. 2016).
public struct WordPieceTokenizer: Tokenizer {
    /// The preparation of text, with the option names of `tokenizer_config.json`.
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

    /// A tokenizer over a vocabulary that has `[UNK]`, `[CLS]` and `[SEP]`; these and, if present, `[PAD]` and `[MASK]`
    /// are kept whole if a text contains them.
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
