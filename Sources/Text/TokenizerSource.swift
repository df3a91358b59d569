import Diagnostics

extension TokenizerFiles {
    /// A directory's tokenizer files, and how to make a definition of them.
    struct Source {
        enum Style {
            case bert, plain, xlmRoberta
        }

        let files: [File]
        let directory: String
        let configuration: TokenizerConfiguration

        private func place(_ name: String) -> String { "\(directory)/\(name)" }

        private func contents(_ name: String) -> [UInt8]? { files.first { $0.name == name }?.contents }

        func json() throws(UnderstudyError) -> TokenizerJSON? {
            guard let contents = contents("tokenizer.json") else { return nil }
            return try TokenizerJSON(contents, place: place("tokenizer.json"))
        }

        func vocabulary() throws(UnderstudyError) -> Vocabulary {
            guard let contents = contents("vocab.txt") else {
                throw UnderstudyError(.missingInput, "there is no vocab.txt", at: directory)
            }
            return try Vocabulary.parse(contents, place: place("vocab.txt"))
        }

        /// The definition and the file that its errors are about.
        func definition(_ style: Style) throws(UnderstudyError) -> (TokenizerDefinition, place: String) {
            let json = try json()
            var definition: TokenizerDefinition
            var place = place("tokenizer.json")
            switch (style, json) {
            case (.bert, let json):
                definition = try bert(json)
                if json == nil { place = self.place("vocab.txt") }
            case (.plain, .some(let json)):
                definition = try json.definition()
                try addTokens(to: &definition, defaults: [:])
            case (.xlmRoberta, .some(let json)):
                definition = try xlmRoberta(json)
            case (_, nil):
                let name = configuration.tokenizerClass ?? ""
                throw UnderstudyError(.missingInput, "the tokenizer_class '\(name)' needs tokenizer.json", at: directory)
            }
            definition.truncatesLeft = configuration.truncatesLeft
            definition.ignoresSpecialTokensInText = configuration.flag("split_special_tokens") ?? false
            return (definition, place)
        }

        private func bert(_ json: TokenizerJSON?) throws(UnderstudyError) -> TokenizerDefinition {
            let tokens = try tokens(defaults: [
                .unknown: "[UNK]", .separator: "[SEP]", .padding: "[PAD]", .classification: "[CLS]", .mask: "[MASK]",
            ])
            guard let unknown = tokens[.unknown], let first = tokens[.classification], let last = tokens[.separator]
            else {
                throw UnderstudyError(
                    .invalidData, "unk_token, cls_token and sep_token can't be null", at: place("tokenizer_config.json"))
            }
            let pieces: [[UInt8]]
            if let json {
                guard case .wordPiece(let named, _, _, _) = try json.model() else {
                    throw json.error("a BertTokenizer's model must be WordPiece; set tokenizer_class to say otherwise")
                }
                pieces = named
            } else {
                pieces = try vocabulary().entries
            }
            var definition = TokenizerDefinition(
                model: .wordPiece(
                    pieces: pieces, unknown: unknown.content, continuingPrefix: Array("##".utf8),
                    maximumCharacters: WordPieceTokenizer.maximumCharacters))
            definition.normalizers = NormalizerStep.bert(
                cleansText: true, spacesIdeographs: configuration.flag("tokenize_chinese_chars") ?? true,
                stripsAccents: configuration.flag("strip_accents"),
                lowercases: configuration.flag("do_lower_case") ?? true)
            definition.preTokenizers = [.bert]
            definition.prefix = [.text(first.content)]
            definition.suffix = [.text(last.content)]
            if let json { definition.addedTokens = try json.addedTokens() }
            // A usual token that no file asks for and the vocabulary lacks is left out: Transformers would give it an id
            // for which no model has an embedding.
            let known = Set(pieces)
            let asked = tokens.filter { (try? configuration.token($0.key)) ?? nil != nil || known.contains($0.value.content) }
            try addTokens(to: &definition, asked)
            return definition
        }

        private func xlmRoberta(_ json: TokenizerJSON) throws(UnderstudyError) -> TokenizerDefinition {
            guard case .unigram(let pieces, _, _) = try json.model() else {
                throw json.error("an XLMRobertaTokenizer's model must be Unigram; set tokenizer_class to say otherwise")
            }
            // The class has a fixed place for the unknown piece.
            var definition = TokenizerDefinition(
                model: .unigram(pieces: pieces, unknown: 3, spellsUnknownInBytes: false))
            definition.normalizers = try json.normalizers().filter { if case .precompiled = $0 { true } else { false } }
            definition.preTokenizers = [
                .whitespaceSplit,
                .metaspace(
                    replacement: Array("\u{2581}".utf8),
                    scheme: configuration.flag("add_prefix_space") ?? true ? .always : .never, splits: true),
            ]
            let tokens = try tokens(defaults: [
                .beginning: "<s>", .end: "</s>", .separator: "</s>", .classification: "<s>", .unknown: "<unk>",
                .padding: "<pad>", .mask: "<mask>",
            ])
            definition.prefix = tokens[.beginning].map { [.text($0.content)] } ?? []
            definition.suffix = tokens[.end].map { [.text($0.content)] } ?? []
            definition.addedTokens = try json.addedTokens()
            try addTokens(to: &definition, tokens)
            return definition
        }

        /// The tokens in their roles: what the files say, else the class's own.
        private func tokens(
            defaults: [TokenizerConfiguration.Role: String]
        ) throws(UnderstudyError) -> [TokenizerConfiguration.Role: AddedToken] {
            var tokens: [TokenizerConfiguration.Role: AddedToken] = [:]
            for role in TokenizerConfiguration.Role.allCases {
                if let said = try configuration.token(role) {
                    tokens[role] = said
                } else if let name = defaults[role] {
                    tokens[role] = .special(Array(name.utf8))
                }
            }
            return tokens
        }

        private func addTokens(
            to definition: inout TokenizerDefinition, defaults: [TokenizerConfiguration.Role: String]
        ) throws(UnderstudyError) {
            try addTokens(to: &definition, try tokens(defaults: defaults))
        }

        /// Adds the files' added tokens, then the tokens with roles and the extra ones that aren't there yet.
        private func addTokens(
            to definition: inout TokenizerDefinition, _ roles: [TokenizerConfiguration.Role: AddedToken]
        ) throws(UnderstudyError) {
            for (token, id) in try configuration.addedTokens() {
                definition.addedTokens.append((token, id))
            }
            let ordered = TokenizerConfiguration.Role.allCases.compactMap { roles[$0] }
            for token in ordered + (try configuration.extraTokens())
            where !definition.addedTokens.contains(where: { $0.token.content == token.content }) {
                definition.addedTokens.append((token, nil))
            }
        }
    }
}
