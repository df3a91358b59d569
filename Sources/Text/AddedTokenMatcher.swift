/// Finds added tokens in text: the leftmost match, and of those the longest.
struct AddedTokenMatcher: Sendable {
    private struct Pattern: Sendable {
        let bytes: [UInt8]
        let id: Int32
        let token: AddedToken
    }

    struct Match {
        /// Bytes that the token takes, stripped white space included.
        let range: Range<Int>
        let id: Int32
    }

    /// Longest first.
    private let patterns: [Pattern]
    /// For each byte whether a pattern starts with it.
    private let starts: FrozenArray<Bool>
    let isEmpty: Bool

    /// - Parameter patterns: What to look for (a token's content or its normalised form), its id, and its token.
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

    /// The first token at or after `position`; `position` moves behind the bytes looked at. `taken` is the end of the
    /// previous match, which white space stripped on the left doesn't reach into.
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

    /// Nothing before `taken` is looked at, so that a line of tokens takes no longer than its length.
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
