import Diagnostics

/// Loads a tokenizer from a model directory, as `AutoTokenizer` of Transformers 5 does for a BERT model.
///
/// It depends on `tokenizer_class` of `tokenizer_config.json`:
/// - `BertTokenizer` (and its twins), or no class and WordPiece files: pieces from `tokenizer.json` if it exists, else
///   `vocab.txt`; the normalisation is set by `tokenizer_config.json` (lower-case by default) and **not** by
///   `tokenizer.json`, as in Transformers 5; version 4 used `tokenizer.json`.
/// - `PreTrainedTokenizerFast`, or no class and a Unigram model: `tokenizer.json` unchanged.
/// - `XLMRobertaTokenizer`: pieces and character map from `tokenizer.json`, the rest as in that class.
/// - `CharacterTokenizer`: this project's own.
///
/// Where the older pure Python `BertTokenizer` differs, this follows the present one: added tokens are found before
/// lower-casing even inside words, `never_split` and `do_basic_tokenize` have no effect, and characters are classified
/// by `tokenizers`' own Unicode tables (see `UnicodeTables`).
public enum TokenizerFiles {
    struct File: Sendable {
        let name: String
        let contents: [UInt8]
    }

    /// Other names of BertTokenizer.
    private static let bertClasses: Set = [
        "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer",
        "LayoutLMTokenizer", "ConvBertTokenizer",
    ]
    /// Classes that use `tokenizer.json` unchanged.
    private static let plainClasses: Set = ["PreTrainedTokenizer", "TokenizersBackend", "PythonBackend"]

    private static let tokenizerFileNames = [
        "tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    ]

    /// - Parameters:
    ///   - directory: A model directory, or one with only tokenizer files.
    ///   - maximumLength: The maximum length of a line in ids; nil: the value in the files, or 512.
    /// - Throws: `missingInput` if there is no tokenizer, `noPermission`, `invalidData` for a file that is damaged or
    ///   requires an unsupported feature. The error names the file.
    public static func load(
        directory: String, maximumLength: Int? = nil
    ) throws(UnderstudyError) -> LoadedTokenizer {
        var files: [File] = []
        for name in tokenizerFileNames {
            guard try PathLookup.exists("\(directory)/\(name)") else { continue }
            files.append(File(name: name, contents: try FileBytes.read("\(directory)/\(name)")))
        }
        guard files.contains(where: { $0.name == "tokenizer.json" || $0.name == "vocab.txt" }) else {
            let isThere = try PathLookup.exists(directory)
            let what = isThere ? "neither tokenizer.json nor vocab.txt in it" : "no such directory"
            throw UnderstudyError(.missingInput, what, at: directory)
        }
        var described = files
        if try PathLookup.exists("\(directory)/config.json") {
            described.append(File(name: "config.json", contents: try FileBytes.read("\(directory)/config.json")))
        }
        let configuration = try TokenizerConfiguration(files: described, directory: directory)
        let length = maximumLength ?? configuration.maximumLength
        let source = try Source(files: files, directory: directory, configuration: configuration)

        if configuration.tokenizerClass == CharacterTokenizer.className {
            let folding = CharacterFolding(
                foldsWidth: configuration.flag("fold_width") ?? true,
                lowercases: configuration.flag("do_lower_case") ?? true)
            let vocabulary = try source.vocabulary()
            do throws(UnderstudyError) {
                return LoadedTokenizer(
                    tokenizer: try CharacterTokenizer(vocabulary: vocabulary, folding: folding),
                    vocabulary: vocabulary, maximumLength: length, files: files)
            } catch {
                throw error.placed(at: "\(directory)/vocab.txt")
            }
        }
        let (definition, place) = try source.definition(style(of: source))
        let product = try definition.build(place: place)
        return LoadedTokenizer(
            kind: product.kind, tokenizer: product.tokenizer, pieces: product.pieces,
            specialTokens: try specialTokens(configuration, product), maximumLength: length, files: files)
    }

    private static func style(of source: Source) throws(UnderstudyError) -> Source.Style {
        switch source.configuration.tokenizerClass {
        case nil: return source.json?.hasModel("Unigram") ?? false ? .plain : .bert
        case .some(let name) where bertClasses.contains(name): return .bert
        case .some(let name) where plainClasses.contains(name): return .plain
        case "XLMRobertaTokenizer": return .xlmRoberta
        case .some(let name):
            throw UnderstudyError(
                .invalidData,
                "the tokenizer_class '\(name)' isn't supported; BertTokenizer, PreTrainedTokenizerFast and "
                    + "XLMRobertaTokenizer are", at: "\(source.directory)/tokenizer_config.json")
        }
    }

    private static func specialTokens(
        _ configuration: TokenizerConfiguration, _ product: TokenizerDefinition.Product
    ) throws(UnderstudyError) -> LoadedTokenizer.SpecialTokens {
        func id(_ role: TokenizerConfiguration.Role, _ usual: [String]) throws(UnderstudyError) -> Int32? {
            if let token = try configuration.token(role) { return token.flatMap { product.pieces.id(of: $0.content) } }
            for name in usual { if let id = product.pieces.id(of: name.utf8) { return id } }
            return nil
        }
        var special = LoadedTokenizer.SpecialTokens()
        special.unknown = try id(.unknown, ["[UNK]", "<unk>"])
        special.padding = try id(.padding, ["[PAD]", "<pad>"])
        special.classification = try id(.classification, ["[CLS]", "<s>"])
        special.separator = try id(.separator, ["[SEP]", "</s>"])
        special.mask = try id(.mask, ["[MASK]", "<mask>"])
        return special
    }
}

extension TokenizerDefinition.Product {
    var tokenizer: any Tokenizer {
        switch kind {
        case .unigram: UnigramTokenizer(pipeline: pipeline, vocabularySize: pieces.count)
        default: WordPieceTokenizer(pipeline: pipeline, vocabularySize: pieces.count)
        }
    }
}

extension TokenizerFiles {
    /// The number of pieces of a `tokenizer.json` model: everything in it is read and checked, but the tables, which
    /// take milliseconds, aren't built.
    package static func pieceCount(ofJSON contents: [UInt8], place: String) throws(UnderstudyError) -> Int {
        let definition = try TokenizerJSON(contents, place: place).definition()
        return switch definition.model {
        case .wordPiece(let pieces, _, _, _): pieces.count
        case .unigram(let pieces, _, _): pieces.count
        }
    }

    /// The same for a `vocab.txt`.
    package static func vocabulary(ofText contents: [UInt8], place: String) throws(UnderstudyError) -> Vocabulary {
        try Vocabulary.parse(contents, place: place)
    }
}
