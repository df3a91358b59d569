/// A token that is found in the text before anything else happens to it, and kept whole.
struct AddedToken: Sendable, Equatable {
    var content: [UInt8]
    /// Only where no word character stands beside it.
    var isSingleWord = false
    /// Takes the white space before it with it.
    var stripsLeft = false
    var stripsRight = false
    /// Looked for in the normalised text, in its normalised form.
    var isNormalized = true
    var isSpecial = false

    static func special(_ content: [UInt8]) -> AddedToken {
        AddedToken(content: content, isNormalized: false, isSpecial: true)
    }

    /// A token of `tokenizer.json`, `tokenizer_config.json` or `special_tokens_map.json`: an object, or just its text.
    init?(_ value: JSONValue, isSpecial: Bool? = nil) {
        if let bytes = value.bytes {
            self = .special(bytes)
            return
        }
        guard let bytes = value["content"]?.bytes else { return nil }
        content = bytes
        isSingleWord = value["single_word"]?.bool ?? false
        stripsLeft = value["lstrip"]?.bool ?? false
        stripsRight = value["rstrip"]?.bool ?? false
        self.isSpecial = isSpecial ?? value["special"]?.bool ?? false
        isNormalized = value["normalized"]?.bool ?? !self.isSpecial
    }

    init(content: [UInt8], isNormalized: Bool, isSpecial: Bool) {
        self.content = content
        self.isNormalized = isNormalized
        self.isSpecial = isSpecial
    }
}
