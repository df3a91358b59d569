import Bytes
import Diagnostics

/// The added tokens of a tokenizer and their ids: the model's own id if it has the piece, otherwise the next free one.
///
/// A token may be added again with other options. As in `tokenizers`, the latest options determine how a match is
/// treated; where it is searched (in the raw or the normalised text) doesn't change, and an ordinary token that becomes
/// special is searched in both.
struct AddedVocabulary {
    private let baseCount: Int
    private let base: (_ piece: [UInt8]) -> Int32?
    private var special: [AddedToken] = []
    private var ordinary: [AddedToken] = []
    private var specialContents = Set<[UInt8]>()
    private var ids: [[UInt8]: Int32] = [:]
    /// The latest options of every token.
    private var latest: [Int32: AddedToken] = [:]
    /// Contents of the tokens after the model's pieces, in the order of their ids.
    private(set) var extensions: [[UInt8]] = []

    /// - Parameters:
    ///   - baseCount: The number of ids of the model itself.
    ///   - base: The model's id of a piece.
    init(baseCount: Int, base: @escaping (_ piece: [UInt8]) -> Int32?) {
        self.baseCount = baseCount
        self.base = base
    }

    func id(of content: [UInt8]) -> Int32? { ids[content] ?? base(content) }

    /// - Parameter declaredID: The token's id according to the file.
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

    /// The patterns to search for: tokens with their latest options, except where they are searched.
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

/// A token that is found in the text before any other processing, and kept whole.
struct AddedToken: Sendable, Equatable {
    var content: [UInt8]
    /// Matches only if no word character is next to it.
    var isSingleWord = false
    /// Includes the white space before it in the match.
    var stripsLeft = false
    var stripsRight = false
    /// Searched in the normalised text, in its normalised form.
    var isNormalized = true
    var isSpecial = false

    static func special(_ content: [UInt8]) -> AddedToken {
        AddedToken(content: content, isNormalized: false, isSpecial: true)
    }

    /// A token of `tokenizer.json`, `tokenizer_config.json` or `special_tokens_map.json`: an object, or only its text.
    init?(_ value: JSONTree, isSpecial: Bool? = nil) {
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

/// Finds added tokens in text: the leftmost match, and of several the longest.
struct AddedTokenMatcher: Sendable {
    private struct Pattern: Sendable {
        let bytes: [UInt8]
        let id: Int32
        let token: AddedToken
    }

    struct Match {
        /// The bytes of the match, stripped white space included.
        let range: Range<Int>
        let id: Int32
    }

    /// Longest first.
    private let patterns: [Pattern]
    /// For each byte, whether a pattern starts with it.
    private let starts: FrozenArray<Bool>
    let isEmpty: Bool

    /// - Parameter patterns: The bytes to search for (a token's content or its normalised form), its id, and its token.
    init(_ patterns: [(bytes: [UInt8], id: Int32, token: AddedToken)]) {
        var starts = [Bool](repeating: false, count: 256)
        for pattern in patterns { if let first = pattern.bytes.first { starts[Int(first)] = true } }
        self.patterns = patterns.filter { !$0.bytes.isEmpty }.map {
            Pattern(bytes: $0.bytes, id: $0.id, token: $0.token)
        }
        .enumerated().sorted { ($1.element.bytes.count, $0.offset) < ($0.element.bytes.count, $1.offset) }
        .map(\.element)
        self.starts = FrozenArray(starts)
        isEmpty = self.patterns.isEmpty
    }

    /// The first token at or after `position`; `position` moves behind the examined bytes. `taken` is the end of the
    /// previous match; white space stripped on the left doesn't extend into that.
    func next(
        in text: UnsafeBufferPointer<UInt8>, position: inout Int, taken: Int
    ) -> Match? {
        guard let base = text.baseAddress else { return nil }
        let end = text.count
        while position < end {
            guard starts[Int(base[position])], let pattern = longest(base, position, end) else {
                position &+= 1
                continue
            }
            let start = position
            let stop = start + pattern.bytes.count
            position = stop
            if pattern.token.isSingleWord, Self.isInsideWord(base, start, stop, end) { continue }
            var range = start..<stop
            if pattern.token.stripsLeft { range = Self.spaceStart(base, before: start, after: taken)..<stop }
            if pattern.token.stripsRight { range = range.lowerBound..<Self.spaceEnd(base, from: stop, end: end) }
            return Match(range: range, id: pattern.id)
        }
        return nil
    }

    private func longest(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Pattern? {
        patterns.first { pattern in
            guard pattern.bytes.count <= end - start else { return false }
            for offset in 0..<pattern.bytes.count where base[start + offset] != pattern.bytes[offset] { return false }
            return true
        }
    }

    private static func isInsideWord(_ base: UnsafePointer<UInt8>, _ start: Int, _ stop: Int, _ end: Int) -> Bool {
        let flags = UnicodeProperties.shared.flags
        if start > 0 {
            let previous = UTF8Code.previousStart(base, before: start)
            if flags[UTF8Code.decode(base, at: previous, end: end).scalar].contains(.word) { return true }
        }
        return stop < end && flags[UTF8Code.decode(base, at: stop, end: end).scalar].contains(.word)
    }

    /// Nothing before `taken` is examined, so that the time for a line of tokens is linear in its length.
    private static func spaceStart(_ base: UnsafePointer<UInt8>, before index: Int, after taken: Int) -> Int {
        var start = max(index, taken)
        while start > taken {
            let previous = UTF8Code.previousStart(base, before: start)
            let scalar = UTF8Code.decode(base, at: previous, end: start).scalar
            guard UnicodeProperties.shared.flags[scalar].contains(.whitespace) else { break }
            start = max(previous, taken)
        }
        return start
    }

    private static func spaceEnd(_ base: UnsafePointer<UInt8>, from index: Int, end: Int) -> Int {
        var stop = index
        while stop < end {
            let (scalar, length) = UTF8Code.decode(base, at: stop, end: end)
            guard UnicodeProperties.shared.flags[scalar].contains(.whitespace) else { break }
            stop += length
        }
        return stop
    }
}
