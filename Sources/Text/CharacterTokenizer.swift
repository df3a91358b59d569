import Bytes
import Diagnostics

/// The student's simple input: an id for each code point after folding; white space is dropped.
///
/// Id 0 is padding and never occurs, id 1 is every code point that the vocabulary lacks. No special tokens are added to
/// a line, so an empty line has no ids.
public struct CharacterTokenizer: Tokenizer {
    public static let padding: Int32 = 0
    public static let unknown: Int32 = 1
    /// The name of this tokenizer in `tokenizer_config.json`.
    static let className = "CharacterTokenizer"
    /// The first two entries of a character vocabulary.
    static let reserved = [Array("[PAD]".utf8), Array("[UNK]".utf8)]

    private static let dropped: Int32 = -1

    public let vocabularySize: Int
    public let folding: CharacterFolding
    /// Id of every code point, folding included, or `dropped`.
    private let ids: CodePointTable<Int32>

    /// - Parameter vocabulary: Two reserved entries, then one code point each (folded, since others never occur).
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
                throw UnderstudyError(
                    .invalidData, "entry \(id) of the character vocabulary, '\(shown)', isn't one character")
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

/// Simple folding of code points for the student's input: one to one, without context.
///
/// Full-width forms (U+FF01 … U+FF5E) become ASCII, letters become lower-case, white space is dropped.
public struct CharacterFolding: Sendable {
    public let foldsWidth: Bool
    public let lowercases: Bool

    /// The value for white space in `table`.
    static let dropped = UInt32.max

    /// The folded form of every code point, or `dropped`.
    let table: CodePointTable<UInt32>

    public init(foldsWidth: Bool = true, lowercases: Bool = true) {
        self.foldsWidth = foldsWidth
        self.lowercases = lowercases
        let properties = UnicodeProperties.shared
        table = CodePointTable(
            (UInt32(0)..<0x110000).map { scalar in
                if properties.flags[scalar].contains(.whitespace) { return Self.dropped }
                var folded = scalar
                if foldsWidth, (0xFF01...0xFF5E).contains(folded) { folded -= 0xFEE0 }
                return lowercases ? properties.simpleLowercase(folded) : folded
            })
    }

    /// The folded form of a code point, or nil if it is dropped.
    public func fold(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        let folded = table[scalar.value]
        return folded == Self.dropped ? nil : Unicode.Scalar(folded)
    }
}

/// Counts the characters of a corpus and makes a vocabulary of the frequent ones.
public struct CharacterCounter {
    private let folding: CharacterFolding
    private var counts: [UInt32: Int] = [:]

    public init(folding: CharacterFolding = CharacterFolding()) {
        self.folding = folding
    }

    /// Counts one line's characters after folding.
    public mutating func add(_ line: UnsafeBufferPointer<UInt8>) {
        guard let base = line.baseAddress else { return }
        var index = 0
        while index < line.count {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: line.count)
            let folded = folding.table[scalar]
            if folded != CharacterFolding.dropped { counts[folded, default: 0] += 1 }
            index += length
        }
    }

    public mutating func add(_ line: some Sequence<UInt8>) {
        Array(line).withUnsafeBufferPointer { add($0) }
    }

    /// `[PAD]`, `[UNK]` and the characters that occur at least `minimumCount` times, by decreasing frequency, then by
    /// code point.
    public func vocabulary(minimumCount: Int = 1) throws(UnderstudyError) -> Vocabulary {
        let kept = counts.filter { $0.value >= minimumCount }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return try Vocabulary(CharacterTokenizer.reserved + kept.map { UTF8Code.encode($0.key) })
    }
}
