import Bytes
import Diagnostics

/// Reads a `tokenizer.json` (the format of Hugging Face `tokenizers`, version 1.0).
///
/// An unsupported component is refused by name. `truncation` and `padding` are ignored, as in Transformers: the caller
/// sets the maximum length.
struct TokenizerJSON {
    let root: JSONTree
    let place: String

    init(_ contents: [UInt8], place: String) throws(UnderstudyError) {
        root = try TokenizerDocument.read(contents, place: place)
        self.place = place
        guard root.object != nil else { throw error("expected an object, found \(root.kind)") }
        if let version = root["version"]?.string, version != "1.0" {
            throw error("version \(version) of the format isn't supported; 1.0 is")
        }
    }

    /// The tokenizer exactly as the file describes it.
    func definition() throws(UnderstudyError) -> TokenizerDefinition {
        var definition = TokenizerDefinition(model: try model())
        definition.normalizers = try normalizers()
        definition.preTokenizers = try preTokenizers()
        (definition.prefix, definition.suffix) = try template()
        definition.addedTokens = try addedTokens()
        return definition
    }

    func error(_ message: String) -> UnderstudyError { UnderstudyError(.invalidData, message, at: place) }

    /// The `type` of a component; `what` is its name in errors.
    func type(of component: JSONTree, _ what: String) throws(UnderstudyError) -> String {
        guard let type = component["type"]?.string else { throw error("\(what) has no type") }
        return type
    }

    /// A required member of the right type.
    func require<Value>(_ value: Value?, _ name: String, of what: String) throws(UnderstudyError) -> Value {
        guard let value else { throw error("\(what) has no valid '\(name)'") }
        return value
    }

    func addedTokens() throws(UnderstudyError) -> [(token: AddedToken, declaredID: Int?)] {
        guard let list = root["added_tokens"], !list.isNull else { return [] }
        guard let values = list.array else { throw error("added_tokens must be an array, found \(list.kind)") }
        var tokens: [(token: AddedToken, declaredID: Int?)] = []
        for value in values {
            guard let token = AddedToken(value), let id = value["id"]?.index else {
                throw error("an entry of added_tokens has no valid 'content' or 'id'")
            }
            tokens.append((token, id))
        }
        return tokens
    }
}

extension TokenizerJSON {
    /// Larger vocabularies are refused as damage.
    private static let maximumPieces = 1 << 24

    func model() throws(UnderstudyError) -> TokenizerDefinition.Model {
        guard let model = root["model"], model.object != nil else { throw error("there is no model") }
        switch try type(of: model, "the model") {
        case "WordPiece": return try wordPiece(model)
        case "Unigram": return try unigram(model)
        case let other: throw error("the model type '\(other)' isn't supported; WordPiece and Unigram are")
        }
    }

    /// Whether the file states this type for its model; false if it states none.
    func hasModel(_ type: String) -> Bool { root["model"]?["type"]?.string == type }

    private func wordPiece(_ model: JSONTree) throws(UnderstudyError) -> TokenizerDefinition.Model {
        .wordPiece(
            pieces: try wordPieces(model),
            unknown: try require(model["unk_token"]?.bytes, "unk_token", of: "the WordPiece model"),
            continuingPrefix: model["continuing_subword_prefix"]?.bytes ?? Array("##".utf8),
            maximumCharacters: model["max_input_chars_per_word"]?.index ?? 100)
    }

    private func wordPieces(_ model: JSONTree) throws(UnderstudyError) -> [[UInt8]] {
        let members = try require(model["vocab"]?.object?.members, "vocab", of: "the WordPiece model")
        guard members.count < Self.maximumPieces else { throw error("the vocabulary has too many pieces") }
        var pieces = [[UInt8]?](repeating: nil, count: members.count)
        for member in members {
            let shown = member.key
            guard let id = member.value.index else { throw error("the id of '\(shown)' isn't a whole number") }
            guard id < pieces.count else {
                throw error("'\(shown)' has id \(id), but the vocabulary has \(pieces.count) pieces")
            }
            guard pieces[id] == nil else { throw error("two pieces have the id \(id)") }
            pieces[id] = Array(member.key.utf8)
        }
        return pieces.compactMap(\.self)
    }

    private func unigram(_ model: JSONTree) throws(UnderstudyError) -> TokenizerDefinition.Model {
        let what = "the Unigram model"
        let entries = try require(model["vocab"]?.array, "vocab", of: what)
        guard entries.count < Self.maximumPieces else { throw error("the vocabulary has too many pieces") }
        var pieces: [(bytes: [UInt8], score: Double)] = []
        pieces.reserveCapacity(entries.count)
        for (id, entry) in entries.enumerated() {
            guard let pair = entry.array, pair.count == 2, let name = pair[0].bytes, let score = pair[1].number else {
                throw error("piece \(id) of the vocabulary isn't a pair of text and score")
            }
            pieces.append((name, score))
        }
        guard let unknown = model["unk_id"]?.index else {
            throw error("\(what) has no 'unk_id', so it couldn't encode unknown characters")
        }
        return .unigram(
            pieces: pieces, unknown: unknown, spellsUnknownInBytes: model["byte_fallback"]?.bool ?? false)
    }
}

// Normalizers, pre-tokenizers and post-processors of a `tokenizer.json`.

extension TokenizerJSON {
    func normalizers() throws(UnderstudyError) -> [NormalizerStep] {
        guard let value = root["normalizer"], !value.isNull else { return [] }
        let steps = try normalizers(value)
        if let problem = NormalizerLimits.problem(of: steps) { throw error(problem) }
        return steps
    }

    private func normalizers(_ value: JSONTree) throws(UnderstudyError) -> [NormalizerStep] {
        let name = try type(of: value, "a normalizer")
        switch name {
        case "Sequence":
            var steps: [NormalizerStep] = []
            for part in try require(value["normalizers"]?.array, "normalizers", of: "a Sequence of normalizers") {
                steps += try normalizers(part)
            }
            return steps
        case "BertNormalizer":
            return NormalizerStep.bert(
                cleansText: value["clean_text"]?.bool ?? true,
                spacesIdeographs: value["handle_chinese_chars"]?.bool ?? true,
                stripsAccents: value["strip_accents"]?.bool, lowercases: value["lowercase"]?.bool ?? true)
        case "NFD", "NFC", "NFKD", "NFKC":
            return NormalizationForm(rawValue: name).map { [.form($0)] } ?? []
        case "Lowercase": return [.lowercase]
        case "StripAccents": return [.dropCombiningMarks]
        case "Strip":
            return [.strip(left: value["strip_left"]?.bool ?? true, right: value["strip_right"]?.bool ?? true)]
        case "Prepend": return [.prepend(try require(value["prepend"]?.bytes, "prepend", of: "Prepend"))]
        case "Replace":
            let content = try require(value["content"]?.bytes, "content", of: "Replace")
            if let text = value["pattern"]?["String"]?.bytes {
                return [.replace(try ReplacePattern(text: text, place: place), content: content)]
            }
            let source = try require(value["pattern"]?["Regex"]?.bytes, "pattern", of: "Replace")
            return [.replace(try ReplacePattern(regularExpression: source, place: place), content: content)]
        case "Precompiled":
            let map = try require(value["precompiled_charsmap"], "precompiled_charsmap", of: "Precompiled")
            if map.isNull { return [] }
            let base64 = try require(map.bytes, "precompiled_charsmap", of: "Precompiled")
            return [.precompiled(try PrecompiledCharacterMap(base64: base64, place: place))]
        default: throw error("the normalizer '\(name)' isn't supported")
        }
    }

    func preTokenizers() throws(UnderstudyError) -> [PreTokenizerStep] {
        guard let value = root["pre_tokenizer"], !value.isNull else { return [] }
        return try preTokenizers(value)
    }

    private func preTokenizers(_ value: JSONTree) throws(UnderstudyError) -> [PreTokenizerStep] {
        switch try type(of: value, "a pre-tokenizer") {
        case "Sequence":
            var steps: [PreTokenizerStep] = []
            for part in try require(value["pretokenizers"]?.array, "pretokenizers", of: "a Sequence of pre-tokenizers")
            {
                steps += try preTokenizers(part)
            }
            return steps
        case "BertPreTokenizer": return [.bert]
        case "Whitespace": return [.words]
        case "WhitespaceSplit": return [.whitespaceSplit]
        case "Metaspace": return [try metaspace(value)]
        case let other: throw error("the pre-tokenizer '\(other)' isn't supported")
        }
    }

    private func metaspace(_ value: JSONTree) throws(UnderstudyError) -> PreTokenizerStep {
        let mark = try require(value["replacement"]?.bytes, "replacement", of: "Metaspace")
        guard UTF8Code.scalars(mark).count == 1 else { throw error("Metaspace's replacement must be one character") }
        var scheme = PreTokenizerStep.PrependScheme.always
        if let name = value["prepend_scheme"]?.string {
            guard let named = PreTokenizerStep.PrependScheme(rawValue: name) else {
                throw error("Metaspace's prepend_scheme '\(name)' isn't supported; always, first and never are")
            }
            scheme = named
        } else if value["add_prefix_space"]?.bool == false {
            // Files older than prepend_scheme.
            scheme = .never
        }
        return .metaspace(replacement: mark, scheme: scheme, splits: value["split"]?.bool ?? true)
    }

    /// The post-processor's special tokens before and after a single line.
    func template() throws(UnderstudyError) -> (
        prefix: [TokenizerDefinition.TemplateToken], suffix: [TokenizerDefinition.TemplateToken]
    ) {
        guard let value = root["post_processor"], !value.isNull else { return ([], []) }
        let name = try type(of: value, "the post-processor")
        switch name {
        case "BertProcessing", "RobertaProcessing":
            let first = try require(value["cls"]?.array?.last?.index, "cls", of: name)
            let last = try require(value["sep"]?.array?.last?.index, "sep", of: name)
            return ([.ids([first])], [.ids([last])])
        case "TemplateProcessing":
            return try template(value)
        default: throw error("the post-processor '\(name)' isn't supported")
        }
    }

    private func template(_ value: JSONTree) throws(UnderstudyError) -> (
        prefix: [TokenizerDefinition.TemplateToken], suffix: [TokenizerDefinition.TemplateToken]
    ) {
        let what = "TemplateProcessing"
        var parts: [[TokenizerDefinition.TemplateToken]] = [[]]
        for part in try require(value["single"]?.array, "single", of: what) {
            if let sequence = part["Sequence"] {
                guard sequence["id"]?.string == "A" else { throw error("\(what) 'single' has a sequence other than A") }
                parts.append([])
            } else {
                let name = try require(part["SpecialToken"]?["id"]?.string, "single", of: what)
                let given = try require(value["special_tokens"]?[name]?["ids"]?.array, "special_tokens", of: what)
                let ids = given.compactMap(\.index)
                guard ids.count == given.count else { throw error("\(what) has invalid ids for '\(name)'") }
                parts[parts.count - 1].append(.ids(ids))
            }
        }
        guard parts.count == 2 else { throw error("\(what) 'single' must have sequence A once") }
        return (parts[0], parts[1])
    }
}
