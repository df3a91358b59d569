import Diagnostics

/// The parts of a tokenizer, read from files but not yet built.
struct TokenizerDefinition {
    enum Model {
        case wordPiece(
            pieces: [[UInt8]], unknown: [UInt8], continuingPrefix: [UInt8], maximumCharacters: Int)
        case unigram(pieces: [(bytes: [UInt8], score: Double)], unknown: Int, spellsUnknownInBytes: Bool)
    }

    var model: Model
    var normalizers: [NormalizerStep] = []
    var preTokenizers: [PreTokenizerStep] = []
    /// Special tokens before and after the line.
    var prefix: [TemplateToken] = []
    var suffix: [TemplateToken] = []
    var addedTokens: [(token: AddedToken, declaredID: Int?)] = []
    var truncatesLeft = false
    /// `split_special_tokens`: special tokens in the text are ordinary text.
    var ignoresSpecialTokensInText = false

    /// A special token of the template: by its text, or by the ids in the file.
    enum TemplateToken {
        case text([UInt8])
        case ids([Int])
    }

    /// A built tokenizer with the pieces' names by id.
    struct Product {
        let pipeline: TokenizerPipeline
        let pieces: Vocabulary
        let kind: LoadedTokenizer.Kind
    }

    /// - Parameter place: The file's name for errors.
    func build(place: String) throws(UnderstudyError) -> Product {
        do throws(UnderstudyError) {
            return try assemble(place: place)
        } catch {
            throw error.placed(at: place)
        }
    }

    private func assemble(place: String) throws(UnderstudyError) -> Product {
        let names: [[UInt8]] =
            switch model {
            case .wordPiece(let pieces, _, _, _): pieces
            case .unigram(let pieces, _, _): pieces.map(\.bytes)
            }
        guard names.contains(where: { !$0.isEmpty }) else {
            throw UnderstudyError(.invalidData, "the vocabulary is empty")
        }
        let base = try Vocabulary(names)
        var added = AddedVocabulary(baseCount: base.count, base: { base.id(of: $0) })
        for (token, id) in addedTokens { try added.add(token, declaredID: id, place: place) }
        let pieces = added.extensions.isEmpty ? base : try Vocabulary(names + added.extensions)

        var template = TokenTemplate()
        template.prefix = try ids(of: prefix, added, count: pieces.count)
        template.suffix = try ids(of: suffix, added, count: pieces.count)
        let pipeline = TokenizerPipeline(
            model: try buildModel(base), normalizers: normalizers, preTokenizers: preTokenizers,
            addedTokens: added.patterns(withSpecial: !ignoresSpecialTokensInText),
            template: template, truncatesLeft: truncatesLeft)
        let kind: LoadedTokenizer.Kind =
            switch model {
            case .wordPiece: .wordPiece
            case .unigram: .unigram
            }
        return Product(pipeline: pipeline, pieces: pieces, kind: kind)
    }

    private func buildModel(_ base: Vocabulary) throws(UnderstudyError) -> TokenizerPipeline.Model {
        switch model {
        case .wordPiece(let pieces, let unknown, let prefix, let maximumCharacters):
            guard let unknownID = base.id(of: unknown) else {
                let shown = String(decoding: unknown, as: UTF8.self)
                throw UnderstudyError(.invalidData, "the unknown token '\(shown)' isn't in the vocabulary")
            }
            return .wordPiece(
                WordPieceModel(
                    pieces: pieces.enumerated().map { ($1, Int32($0)) }, unknown: unknownID, continuingPrefix: prefix,
                    maximumCharacters: maximumCharacters))
        case .unigram(let pieces, let unknown, let spells):
            guard unknown < pieces.count else {
                throw UnderstudyError(
                    .invalidData, "unk_id is \(unknown), but the vocabulary has \(pieces.count) pieces")
            }
            return .unigram(UnigramModel(pieces: pieces, unknown: Int32(unknown), spellsUnknownInBytes: spells))
        }
    }

    private func ids(
        of tokens: [TemplateToken], _ added: AddedVocabulary, count: Int
    ) throws(UnderstudyError) -> [Int32] {
        var ids: [Int32] = []
        for token in tokens {
            switch token {
            case .text(let text):
                guard let id = added.id(of: text) else {
                    let shown = String(decoding: text, as: UTF8.self)
                    throw UnderstudyError(.invalidData, "the special token '\(shown)' isn't in the vocabulary")
                }
                ids.append(id)
            case .ids(let given):
                for id in given {
                    guard id < count else {
                        throw UnderstudyError(
                            .invalidData, "the post-processor inserts id \(id), but the vocabulary has \(count) pieces")
                    }
                    ids.append(Int32(id))
                }
            }
        }
        return ids
    }
}

/// The special tokens that a post-processor adds around a line.
struct TokenTemplate: Sendable {
    var prefix: [Int32] = []
    var suffix: [Int32] = []
}
