import Diagnostics

// Normalizers, pre-tokenizers and post-processors of a `tokenizer.json`.

extension TokenizerJSON {
    func normalizers() throws(UnderstudyError) -> [NormalizerStep] {
        guard let value = root["normalizer"], !value.isNull else { return [] }
        let steps = try normalizers(value)
        if let problem = NormalizerLimits.problem(of: steps) { throw error(problem) }
        return steps
    }

    private func normalizers(_ value: JSONValue) throws(UnderstudyError) -> [NormalizerStep] {
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

    private func preTokenizers(_ value: JSONValue) throws(UnderstudyError) -> [PreTokenizerStep] {
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

    private func metaspace(_ value: JSONValue) throws(UnderstudyError) -> PreTokenizerStep {
        let mark = try require(value["replacement"]?.bytes, "replacement", of: "Metaspace")
        guard UTF8Code.scalars(mark).count == 1 else { throw error("Metaspace's replacement must be one character") }
        var scheme = PreTokenizerStep.PrependScheme.always
        if let name = value["prepend_scheme"]?.text {
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

    /// What the post-processor puts before and after a single line.
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

    private func template(_ value: JSONValue) throws(UnderstudyError) -> (
        prefix: [TokenizerDefinition.TemplateToken], suffix: [TokenizerDefinition.TemplateToken]
    ) {
        let what = "TemplateProcessing"
        var parts: [[TokenizerDefinition.TemplateToken]] = [[]]
        for part in try require(value["single"]?.array, "single", of: what) {
            if let sequence = part["Sequence"] {
                guard sequence["id"]?.text == "A" else { throw error("\(what) 'single' has a sequence other than A") }
                parts.append([])
            } else {
                let name = try require(part["SpecialToken"]?["id"]?.text, "single", of: what)
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
