/// Greedy longest-match-first segmentation of words (Wu et al. 2016; BERT's WordpieceTokenizer).
///
/// A class, so that naming it for each piece of text copies one reference.
final class WordPieceModel: Sendable {
    /// Leads from the root to the pieces that continue a word; never a byte of UTF-8.
    private static let continuationByte: UInt8 = 0xFF

    private let trie: ByteTrie
    /// Where continuing pieces start in the trie; −1 when there are none.
    private let continuation: Int
    let unknown: Int32
    private let maximumCharacters: Int

    /// - Parameters:
    ///   - pieces: Every piece with its id, continuing ones with their prefix.
    ///   - maximumCharacters: A word of more code points is unknown.
    init(
        pieces: [(bytes: [UInt8], value: Int32)], unknown: Int32, continuingPrefix: [UInt8], maximumCharacters: Int
    ) {
        var keys: [(bytes: [UInt8], value: Int32)] = []
        for piece in pieces where !piece.bytes.isEmpty {
            keys.append(piece)
            if piece.bytes.starts(with: continuingPrefix), piece.bytes.count > continuingPrefix.count {
                keys.append(([Self.continuationByte] + piece.bytes.dropFirst(continuingPrefix.count), piece.value))
            }
        }
        trie = ByteTrie(keys)
        continuation = ByteTrie.step(trie.pointer, from: ByteTrie.root, Self.continuationByte)
        self.unknown = unknown
        self.maximumCharacters = maximumCharacters
    }

    /// Appends the ids of one word, which isn't empty.
    @inline(__always)
    func append(_ word: UnsafePointer<UInt8>, _ length: Int, to ids: inout [Int32]) {
        if length > maximumCharacters, Self.characters(word, length) > maximumCharacters {
            ids.append(unknown)
            return
        }
        let units = trie.pointer
        let first = ids.count
        var index = 0
        var start = ByteTrie.root
        while index < length {
            var node = start
            var position = index
            var best: Int32 = -1
            var bestEnd = index
            while position < length {
                node = ByteTrie.step(units, from: node, word[position])
                if node < 0 { break }
                position &+= 1
                let value = units[node].value
                if value >= 0 {
                    best = value
                    bestEnd = position
                }
            }
            if best < 0 {
                ids.removeLast(ids.count - first)
                ids.append(unknown)
                return
            }
            ids.append(best)
            index = bestEnd
            start = continuation
            if start < 0, index < length {
                ids.removeLast(ids.count - first)
                ids.append(unknown)
                return
            }
        }
    }

    private static func characters(_ word: UnsafePointer<UInt8>, _ length: Int) -> Int {
        UnsafeBufferPointer(start: word, count: length).count { $0 & 0xC0 != 0x80 }
    }
}
