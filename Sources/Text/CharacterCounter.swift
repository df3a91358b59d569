import Diagnostics

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

    /// `[PAD]`, `[UNK]` and the characters that occur at least `minimumCount` times, frequent ones first, those equally
    /// frequent in the order of their code points.
    public func vocabulary(minimumCount: Int = 1) throws(UnderstudyError) -> Vocabulary {
        let kept = counts.filter { $0.value >= minimumCount }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return try Vocabulary(CharacterTokenizer.reserved + kept.map { UTF8Code.encode($0.key) })
    }
}
