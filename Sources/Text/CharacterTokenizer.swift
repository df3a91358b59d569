import Diagnostics

/// The student's plain input: an id for each code point after folding; white space is dropped.
///
/// Id 0 is padding and never occurs, id 1 stands for every code point that the vocabulary lacks. There are no special
/// tokens around a line, so an empty line has no ids.
public struct CharacterTokenizer: Tokenizer {
    public static let padding: Int32 = 0
    public static let unknown: Int32 = 1
    /// What `tokenizer_config.json` calls this tokenizer.
    static let className = "CharacterTokenizer"
    /// The first two entries of a character vocabulary.
    static let reserved = [Array("[PAD]".utf8), Array("[UNK]".utf8)]

    private static let dropped: Int32 = -1

    public let vocabularySize: Int
    public let folding: CharacterFolding
    /// Id of every code point, folding included, or `dropped`.
    private let ids: CodePointTable<Int32>

    /// - Parameter vocabulary: Two reserved entries, then one code point each (folded, or it never occurs).
    /// - Throws: `invalidData` if an entry isn't one code point.
    public init(vocabulary: Vocabulary, folding: CharacterFolding = CharacterFolding()) throws(UnderstudyError) {
        guard vocabulary.count > Self.reserved.count else {
            throw UnderstudyError(.invalidData, "a character vocabulary needs entries after [PAD] and [UNK]")
        }
        var byScalar = [Int32](repeating: Self.unknown, count: 0x110000)
        for id in Int32(Self.reserved.count)..<Int32(vocabulary.count) {
            let entry = vocabulary[id]
            let scalars = UTF8Code.scalars(entry)
            guard scalars.count == 1 else {
                let shown = String(decoding: entry, as: UTF8.self)
                throw UnderstudyError(.invalidData, "entry \(id) of the character vocabulary, '\(shown)', isn't one character")
            }
            byScalar[Int(scalars[0])] = id
        }
        ids = CodePointTable(
            (UInt32(0)..<0x110000).map { scalar in
                let folded = folding.table[scalar]
                return folded == CharacterFolding.dropped ? Self.dropped : byScalar[Int(folded)]
            })
        self.folding = folding
        vocabularySize = vocabulary.count
    }

    public func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {
        guard let base = line.baseAddress else { return }
        let limit = ids.count + max(0, maximumLength)
        var index = 0
        while index < line.count, ids.count < limit {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: line.count)
            let id = self.ids[scalar]
            if id != Self.dropped { ids.append(id) }
            index &+= length
        }
    }
}
