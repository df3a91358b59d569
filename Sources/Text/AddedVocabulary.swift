import Diagnostics

/// The added tokens of a tokenizer and their ids: the model's own id where it has the piece, else the next free one.
///
/// A token may be added again with other options. As in `tokenizers`, the latest decide how a match is treated; where
/// it is looked for (in the raw or the normalised text) stays as it was, and an ordinary token that becomes special is
/// looked for in both ways.
struct AddedVocabulary {
    private let baseCount: Int
    private let base: (_ piece: [UInt8]) -> Int32?
    private var special: [AddedToken] = []
    private var ordinary: [AddedToken] = []
    private var specialContents = Set<[UInt8]>()
    private var ids: [[UInt8]: Int32] = [:]
    /// The latest options of every token.
    private var latest: [Int32: AddedToken] = [:]
    /// Contents of the tokens that come after the model's pieces, in the order of their ids.
    private(set) var extensions: [[UInt8]] = []

    /// - Parameters:
    ///   - baseCount: Ids of the model itself.
    ///   - base: The model's id of a piece.
    init(baseCount: Int, base: @escaping (_ piece: [UInt8]) -> Int32?) {
        self.baseCount = baseCount
        self.base = base
    }

    func id(of content: [UInt8]) -> Int32? { ids[content] ?? base(content) }

    /// - Parameter declaredID: The id that the file says the token has.
    mutating func add(_ token: AddedToken, declaredID: Int? = nil, place: String) throws(UnderstudyError) {
        if token.content.isEmpty { return }
        if token.isSpecial, specialContents.insert(token.content).inserted { special.append(token) }
        let known = id(of: token.content)
        let id = known ?? Int32(baseCount + extensions.count)
        if let declaredID, declaredID != Int(id) {
            let shown = String(decoding: token.content, as: UTF8.self)
            throw UnderstudyError(
                .invalidData, "the added token '\(shown)' is declared with id \(declaredID) but gets \(id)", at: place)
        }
        if latest[id] == token { return }
        if known == nil { extensions.append(token.content) }
        ids[token.content] = id
        latest[id] = token
        if !specialContents.contains(token.content) { ordinary.append(token) }
    }

    /// What to look for: tokens with their latest options but for where they are looked for.
    func patterns(withSpecial: Bool) -> [(token: AddedToken, id: Int32)] {
        var patterns: [(token: AddedToken, id: Int32)] = []
        for entry in special + ordinary where withSpecial || !specialContents.contains(entry.content) {
            guard let id = ids[entry.content], var token = latest[id] else { continue }
            token.isNormalized = entry.isNormalized
            patterns.append((token, id))
        }
        return patterns
    }
}
