import Diagnostics

/// A tokenizer together with the settings of its directory.
public struct LoadedTokenizer: Sendable {
    public enum Kind: String, Sendable {
        case wordPiece = "wordpiece"
        case unigram
        case characters
    }

    /// Ids of the tokens that models treat specially; nil if the tokenizer has none.
    public struct SpecialTokens: Sendable, Equatable {
        public var unknown: Int32?
        public var padding: Int32?
        public var classification: Int32?
        public var separator: Int32?
        public var mask: Int32?

        public init() {}
    }

    public let kind: Kind
    public let tokenizer: any Tokenizer
    /// UTF-8 bytes of every piece by id, added tokens included.
    public let pieces: Vocabulary
    public let specialTokens: SpecialTokens
    /// Maximum length of a line in ids, special tokens included.
    public let maximumLength: Int
    /// The unchanged files that it was read from.
    let files: [TokenizerFiles.File]

    public var vocabularySize: Int { pieces.count }

    /// Writes the tokenizer's files, byte for byte as they were read, into an existing directory.
    ///
    /// This stores the teacher's tokenizer with a student that uses it.
    public func write(to directory: String) throws(UnderstudyError) {
        for file in files { try FileBytes.write(file.contents, to: "\(directory)/\(file.name)") }
    }
}

extension LoadedTokenizer {
    /// A character tokenizer that can be written to a directory and loaded again.
    public static func characters(
        _ vocabulary: Vocabulary, folding: CharacterFolding = CharacterFolding(), maximumLength: Int
    ) throws(UnderstudyError) -> LoadedTokenizer {
        let configuration = """
            {
              "tokenizer_class": "\(CharacterTokenizer.className)",
              "fold_width": \(folding.foldsWidth),
              "do_lower_case": \(folding.lowercases),
              "model_max_length": \(maximumLength)
            }

            """
        return LoadedTokenizer(
            tokenizer: try CharacterTokenizer(vocabulary: vocabulary, folding: folding), vocabulary: vocabulary,
            maximumLength: maximumLength,
            files: [
                .init(name: "vocab.txt", contents: vocabulary.fileContents),
                .init(name: "tokenizer_config.json", contents: Array(configuration.utf8)),
            ])
    }

    init(
        tokenizer: CharacterTokenizer, vocabulary: Vocabulary, maximumLength: Int, files: [TokenizerFiles.File]
    ) {
        var special = SpecialTokens()
        special.padding = CharacterTokenizer.padding
        special.unknown = CharacterTokenizer.unknown
        self.init(
            kind: .characters, tokenizer: tokenizer, pieces: vocabulary, specialTokens: special,
            maximumLength: maximumLength, files: files)
    }
}
