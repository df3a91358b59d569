import Diagnostics

/// Reads a `tokenizer.json` (the format of Hugging Face `tokenizers`, version 1.0).
///
/// A component that isn't supported is refused by name. `truncation` and `padding` are passed over, as Transformers
/// does: a caller says how long a line may be.
struct TokenizerJSON {
    let root: JSONValue
    let place: String

    init(_ contents: [UInt8], place: String) throws(UnderstudyError) {
        root = try JSONParser.parse(contents, place: place)
        self.place = place
        guard root.object != nil else { throw error("expected an object, found \(root.kind)") }
        if let version = root["version"]?.text, version != "1.0" {
            throw error("version \(version) of the format isn't supported; 1.0 is")
        }
    }

    /// The tokenizer just as the file describes it.
    func definition() throws(UnderstudyError) -> TokenizerDefinition {
        var definition = TokenizerDefinition(model: try model())
        definition.normalizers = try normalizers()
        definition.preTokenizers = try preTokenizers()
        (definition.prefix, definition.suffix) = try template()
        definition.addedTokens = try addedTokens()
        return definition
    }

    func error(_ message: String) -> UnderstudyError { UnderstudyError(.invalidData, message, at: place) }

    /// The `type` of a component, which `what` names in errors.
    func type(of component: JSONValue, _ what: String) throws(UnderstudyError) -> String {
        guard let type = component["type"]?.text else { throw error("\(what) has no type") }
        return type
    }

    /// A member that must be there and of the right kind.
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
    /// Larger vocabularies are taken for damage.
    private static let maximumPieces = 1 << 24

    func model() throws(UnderstudyError) -> TokenizerDefinition.Model {
        guard let model = root["model"], model.object != nil else { throw error("there is no model") }
        switch try type(of: model, "the model") {
        case "WordPiece": return try wordPiece(model)
        case "Unigram": return try unigram(model)
        case let other: throw error("the model type '\(other)' isn't supported; WordPiece and Unigram are")
        }
    }

    /// Whether the file says that its model is of that type; false, too, when it says nothing.
    func hasModel(_ type: String) -> Bool { root["model"]?["type"]?.text == type }

    private func wordPiece(_ model: JSONValue) throws(UnderstudyError) -> TokenizerDefinition.Model {
        .wordPiece(
            pieces: try wordPieces(model),
            unknown: try require(model["unk_token"]?.bytes, "unk_token", of: "the WordPiece model"),
            continuingPrefix: model["continuing_subword_prefix"]?.bytes ?? Array("##".utf8),
            maximumCharacters: model["max_input_chars_per_word"]?.index ?? 100)
    }

    private func wordPieces(_ model: JSONValue) throws(UnderstudyError) -> [[UInt8]] {
        let members = try require(model["vocab"]?.object, "vocab", of: "the WordPiece model")
        guard members.count < Self.maximumPieces else { throw error("the vocabulary has too many pieces") }
        var pieces = [[UInt8]?](repeating: nil, count: members.count)
        for (name, value) in members {
            let shown = String(decoding: name, as: UTF8.self)
            guard let id = value.index else { throw error("the id of '\(shown)' isn't a whole number") }
            guard id < pieces.count else {
                throw error("'\(shown)' has id \(id), but the vocabulary has \(pieces.count) pieces")
            }
            guard pieces[id] == nil else { throw error("two pieces have the id \(id)") }
            pieces[id] = name
        }
        return pieces.compactMap(\.self)
    }

    private func unigram(_ model: JSONValue) throws(UnderstudyError) -> TokenizerDefinition.Model {
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
            throw error("\(what) has no 'unk_id': it could not take characters that it doesn't know")
        }
        return .unigram(
            pieces: pieces, unknown: unknown, spellsUnknownInBytes: model["byte_fallback"]?.bool ?? false)
    }
}
