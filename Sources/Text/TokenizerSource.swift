import Diagnostics

extension TokenizerFiles {
    /// A directory's tokenizer files, from which a definition is made.
    struct Source {
        enum Style {
            case bert, plain, xlmRoberta
        }

        let files: [File]
        let directory: String
        let configuration: TokenizerConfiguration
        /// The parsed `tokenizer.json`, if there is one.
        let json: TokenizerJSON?

        init(files: [File], directory: String, configuration: TokenizerConfiguration) throws(UnderstudyError) {
            self.files = files
            self.directory = directory
            self.configuration = configuration
            if let file = files.first(where: { $0.name == "tokenizer.json" }) {
                json = try TokenizerJSON(file.contents, place: "\(directory)/tokenizer.json")
            } else {
                json = nil
            }
        }

        private func place(_ name: String) -> String { "\(directory)/\(name)" }

        private func contents(_ name: String) -> [UInt8]? { files.first { $0.name == name }?.contents }

        func vocabulary() throws(UnderstudyError) -> Vocabulary {
            guard let contents = contents("vocab.txt") else {
                throw UnderstudyError(.missingInput, "there is no vocab.txt", at: directory)
            }
            return try Vocabulary.parse(contents, place: place("vocab.txt"))
        }

        /// The definition and the file for its errors.
        func definition(_ style: Style) throws(UnderstudyError) -> (TokenizerDefinition, place: String) {
            var definition: TokenizerDefinition
            var place = place("tokenizer.json")
            switch (style, json) {
            case (.bert, let json):
                definition = try bert(json)
                if json == nil { place = self.place("vocab.txt") }
            case (.plain, .some(let json)):
                definition = try json.definition()
                try addTokens(to: &definition, try tokens(defaults: [:]), keepsFile: true)
            case (.xlmRoberta, .some(let json)):
                definition = try xlmRoberta(json)
            case (_, nil):
                let name = configuration.tokenizerClass ?? ""
                throw UnderstudyError(
                    .missingInput, "the tokenizer_class '\(name)' needs tokenizer.json", at: directory)
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
                    .invalidData, "unk_token, cls_token and sep_token can't be null", at: place("tokenizer_config.json")
                )
            }
            let pieces: [[UInt8]]
            if let json {
                guard case .wordPiece(let named, _, _, _) = try json.model() else {
                    throw json.error("a BertTokenizer's model must be WordPiece; for another model set tokenizer_class")
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
            // A default token that no file requires and the vocabulary lacks is omitted: Transformers would give it an
            // id for which no model has an embedding.
            let known = Set(pieces)
            var roles: [TokenizerConfiguration.Role: AddedToken] = [:]
            for (role, token) in tokens {
                let isAskedFor = try configuration.token(role) != nil
                if isAskedFor || known.contains(token.content) { roles[role] = token }
            }
            try addTokens(to: &definition, roles, keepsFile: false)
            return definition
        }

        private func xlmRoberta(_ json: TokenizerJSON) throws(UnderstudyError) -> TokenizerDefinition {
            guard case .unigram(let pieces, _, _) = try json.model() else {
                throw json.error(
                    "an XLMRobertaTokenizer's model must be Unigram; for another model set tokenizer_class")
            }
            // The class has a fixed position for the unknown piece.
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
            try addTokens(to: &definition, tokens, keepsFile: false)
            return definition
        }

        /// The tokens in their roles: as in the files, or else the class's defaults.
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

        /// Adds the files' added tokens, then those with roles, names or positions in lists that aren't among them.
        ///
        /// - Parameter keepsFile: Whether the tokenizer is `tokenizer.json` itself. A class that uses only its pieces
        ///   uses its added tokens only if `tokenizer_config.json` doesn't list them.
        private func addTokens(
            to definition: inout TokenizerDefinition, _ roles: [TokenizerConfiguration.Role: AddedToken],
            keepsFile: Bool
        ) throws(UnderstudyError) {
            let fromFile = try json?.addedTokens() ?? []
            var listed = try configuration.addedTokens()
            if configuration.isLegacy {
                listed = (listed + fromFile).sorted { ($0.declaredID ?? 0) < ($1.declaredID ?? 0) }
            }
            let named = try TokenizerConfiguration.Role.allCases.compactMap { roles[$0] } + configuration.namedTokens()
            let namedContents = Set(named.map(\.content))
            var tokens = keepsFile ? fromFile : []
            for (token, id) in listed {
                var token = token
                if namedContents.contains(token.content) { token.isSpecial = true }
                tokens.append((token, id))
            }
            var contents = Set(tokens.map(\.token.content))
            for token in try named + configuration.listedTokens() where contents.insert(token.content).inserted {
                tokens.append((token, nil))
            }
            definition.addedTokens = tokens
        }
    }
}
