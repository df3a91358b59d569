import Bytes
import Diagnostics

/// The tokenizer settings of `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and `config.json`,
/// merged as in Transformers 5.
struct TokenizerConfiguration {
    /// The named special tokens of Transformers.
    enum Role: String, CaseIterable {
        case beginning = "bos_token"
        case end = "eos_token"
        case unknown = "unk_token"
        case separator = "sep_token"
        case padding = "pad_token"
        case classification = "cls_token"
        case mask = "mask_token"
    }

    private let main: JSONTree?
    private let specialTokensMap: JSONTree?
    private let addedTokensFile: JSONTree?
    private let model: JSONTree?
    private let place: String

    init(files: [TokenizerFiles.File], directory: String) throws(UnderstudyError) {
        func parse(_ name: String) throws(UnderstudyError) -> JSONTree? {
            guard let file = files.first(where: { $0.name == name }) else { return nil }
            let place = "\(directory)/\(name)"
            let value = try TokenizerDocument.read(file.contents, place: place)
            guard value.object != nil else {
                throw UnderstudyError(.invalidData, "expected an object, found \(value.kind)", at: place)
            }
            return value
        }
        main = try parse("tokenizer_config.json")
        specialTokensMap = try parse("special_tokens_map.json")
        addedTokensFile = try parse("added_tokens.json")
        model = try parse("config.json")
        place = "\(directory)/\(main == nil ? "special_tokens_map.json" : "tokenizer_config.json")"
    }

    /// `tokenizer_class` without its `Fast`.
    var tokenizerClass: String? {
        main?["tokenizer_class"]?.string.map { $0.hasSuffix("Fast") ? String($0.dropLast(4)) : $0 }
    }

    func flag(_ name: String) -> Bool? { main?[name]?.bool }

    var truncatesLeft: Bool { main?["truncation_side"]?.string == "left" }

    /// The maximum length that the tokenizer and the model's positions allow; 512 if no file sets it.
    var maximumLength: Int {
        let declared = (main?["model_max_length"] ?? main?["max_len"])?.number
        let positions = model?["max_position_embeddings"]?.number
        let limits = [declared, positions].compactMap(\.self).filter { $0 >= 1 && $0 < Double(Int32.max) }
        return limits.min().map { Int($0) } ?? Self.defaultMaximumLength
    }

    /// Positions of the original BERT.
    private static let defaultMaximumLength = 512

    /// Whether the older files are used: only without `added_tokens_decoder`.
    var isLegacy: Bool { main?["added_tokens_decoder"] == nil }

    /// The token in a role: nil if no file mentions it, `.some(nil)` if it is set to null.
    func token(_ role: Role) throws(UnderstudyError) -> AddedToken?? {
        let fromMap = isLegacy ? specialTokensMap?[role.rawValue] : nil
        guard let value = fromMap ?? main?[role.rawValue] else { return nil }
        if value.isNull { return .some(nil) }
        guard let token = AddedToken(value, isSpecial: true) else {
            throw UnderstudyError(.invalidData, "'\(role.rawValue)' must be a string or an added token", at: place)
        }
        return token
    }

    private var legacyMap: JSONTree? { isLegacy ? specialTokensMap : nil }

    /// Special tokens with model-specific names: other members named `…_token`.
    func namedTokens() throws(UnderstudyError) -> [AddedToken] {
        var values: [JSONTree] = []
        for source in [legacyMap, main] {
            for member in source?.object?.members ?? [] {
                let (name, value) = (member.key, member.value)
                if name.hasSuffix("_token"), Role(rawValue: name) == nil, AddedToken(value) != nil {
                    values.append(value)
                }
            }
            values += (source?["extra_special_tokens"]?.object?.members ?? []).map(\.value)
        }
        return try tokens(values)
    }

    /// Special tokens in lists, without a name.
    func listedTokens() throws(UnderstudyError) -> [AddedToken] {
        let listed = main?["extra_special_tokens"]?.array ?? []
        let additional = main?["additional_special_tokens"]?.array ?? []
        var values = listed.isEmpty ? additional : listed
        values += legacyMap?["extra_special_tokens"]?.array ?? []
        if listed.isEmpty, additional.isEmpty { values += legacyMap?["additional_special_tokens"]?.array ?? [] }
        return try tokens(values)
    }

    private func tokens(_ values: [JSONTree]) throws(UnderstudyError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        var contents = Set<[UInt8]>()
        for value in values {
            guard let token = AddedToken(value, isSpecial: true) else {
                throw UnderstudyError(
                    .invalidData, "a list of special tokens has an entry that isn't a token", at: place)
            }
            if contents.insert(token.content).inserted { tokens.append(token) }
        }
        return tokens
    }

    /// Tokens of `added_tokens_decoder`, in the order of their ids; without it those of `added_tokens.json`.
    func addedTokens() throws(UnderstudyError) -> [(token: AddedToken, declaredID: Int?)] {
        var tokens: [(token: AddedToken, declaredID: Int)] = []
        if let decoder = main?["added_tokens_decoder"] {
            for member in decoder.object?.members ?? [] {
                guard let id = Int(member.key), let token = AddedToken(member.value) else {
                    throw UnderstudyError(.invalidData, "'added_tokens_decoder' has an invalid entry", at: place)
                }
                tokens.append((token, id))
            }
        } else {
            let special = try specialContents()
            for member in addedTokensFile?.object?.members ?? [] {
                guard let id = member.value.index else {
                    throw UnderstudyError(.invalidData, "'added_tokens.json' has an id that isn't a number", at: place)
                }
                let content = Array(member.key.utf8)
                let isSpecial = special.contains(content)
                tokens.append((AddedToken(content: content, isNormalized: !isSpecial, isSpecial: isSpecial), id))
            }
        }
        return tokens.sorted { $0.declaredID < $1.declaredID }.map { ($0.token, $0.declaredID) }
    }

    private func specialContents() throws(UnderstudyError) -> Set<[UInt8]> {
        var contents = Set(try (namedTokens() + listedTokens()).map(\.content))
        for role in Role.allCases {
            if case .some(.some(let token)) = try token(role) { contents.insert(token.content) }
        }
        return contents
    }
}
