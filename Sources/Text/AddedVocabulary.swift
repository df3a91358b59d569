import Diagnostics

/// The added tokens of a tokenizer and their ids: the model's own id where it has the piece, else the next free one.
struct AddedVocabulary {
    private(set) var tokens: [(token: AddedToken, id: Int32)] = []
    private let baseCount: Int
    private let base: (_ piece: [UInt8]) -> Int32?
    private var positions: [[UInt8]: Int] = [:]

    /// - Parameters:
    ///   - baseCount: Ids of the model itself.
    ///   - base: The model's id of a piece.
    init(baseCount: Int, base: @escaping (_ piece: [UInt8]) -> Int32?) {
        self.baseCount = baseCount
        self.base = base
    }

    func id(of content: [UInt8]) -> Int32? {
        positions[content].map { tokens[$0].id } ?? base(content)
    }

    /// Adds a token; one with the same content is replaced and keeps its id.
    ///
    /// - Parameter declaredID: The id that the file says it has.
    mutating func add(_ token: AddedToken, declaredID: Int? = nil, place: String) throws(UnderstudyError) {
        if token.content.isEmpty { return }
        let id = id(of: token.content) ?? Int32(baseCount + tokens.count { $0.id >= baseCount })
        if let declaredID, declaredID != Int(id) {
            let shown = String(decoding: token.content, as: UTF8.self)
            throw UnderstudyError(
                .invalidData, "the added token '\(shown)' is declared with id \(declaredID) but gets \(id)", at: place)
        }
        if let position = positions[token.content] {
            tokens[position].token = token
        } else {
            positions[token.content] = tokens.count
            tokens.append((token, id))
        }
    }

    /// Contents of the tokens that come after the model's pieces, in the order of their ids.
    var extensions: [[UInt8]] { tokens.filter { $0.id >= baseCount }.map(\.token.content) }
}
