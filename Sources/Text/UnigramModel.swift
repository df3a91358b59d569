import Bytes

/// Most probable segmentation under a unigram language model (Kudo 2018, section 3.2), by the Viterbi algorithm as in
/// Hugging Face `tokenizers`: in a tie the path found first wins, and adjacent unknown characters are merged.
///
/// A class, so that passing it for each piece of text copies one reference.
final class UnigramModel: Sendable {
    /// The best path to one byte position.
    struct Node: BitwiseCopyable, Sendable {
        var score: Double = 0
        /// Where the path's last piece starts; −1 if no path is known yet.
        var start: Int32 = -1
        var piece: Int32 = 0
    }

    /// The penalty of an unknown character below the worst piece.
    private static let unknownPenalty = 10.0

    private let trie: ByteTrie
    /// The trie node after each character of three bytes (U+0800 … U+FFFF, most of a Chinese line), by code point; −1
    /// if no piece begins with it. It replaces three dependent look-ups by one.
    private let afterCharacter: FrozenArray<Int32>
    private let scores: FrozenArray<Double>
    private let unknown: Int32
    private let unknownScore: Double
    /// Ids of the pieces `<0x00>` … `<0xFF>` (−1: missing), if unknown characters are encoded as bytes.
    private let bytePieces: [Int32]?

    init(pieces: [(bytes: [UInt8], score: Double)], unknown: Int32, spellsUnknownInBytes: Bool) {
        trie = ByteTrie(
            pieces.enumerated().filter { !$1.bytes.isEmpty }.map { ($1.bytes, Int32($0)) })
        afterCharacter = Self.nodesAfterCharacters(trie)
        scores = FrozenArray(pieces.map(\.score))
        self.unknown = unknown
        unknownScore = (pieces.map(\.score).min() ?? 0) - Self.unknownPenalty
        if spellsUnknownInBytes {
            let digits = Array("0123456789ABCDEF".utf8)
            let trie = trie
            bytePieces = (0..<256).map { byte in
                let name = Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15]] + Array(">".utf8)
                return name.withUnsafeBufferPointer { trie.value(of: $0) }
            }
        } else {
            bytePieces = nil
        }
    }

    /// Appends the ids of one non-empty piece of text.
    func append(
        _ text: UnsafePointer<UInt8>, _ length: Int, nodes buffer: inout GrowableBuffer<Node>, to ids: inout [Int32]
    ) {
        let nodes = buffer.workspace(length &+ 1)
        nodes.update(repeating: Node(), count: length &+ 1)
        findBestPath(text, length, nodes)
        // The path is followed from its end, so the ids are appended backwards and then reversed.
        let first = ids.count
        var end = length
        while end > 0 {
            var start = Int(nodes[end].start)
            let piece = nodes[end].piece
            if piece == unknown {
                while start > 0, nodes[start].piece == unknown { start = Int(nodes[start].start) }
                appendUnknown(text, start, end, to: &ids)
            } else {
                ids.append(piece)
            }
            end = start
        }
        ids.withUnsafeMutableBufferPointer { all in
            var low = first
            var high = all.count &- 1
            while low < high {
                all.swapAt(low, high)
                low &+= 1
                high &-= 1
            }
        }
    }

    private static func nodesAfterCharacters(_ trie: ByteTrie) -> FrozenArray<Int32> {
        var nodes = [Int32](repeating: -1, count: 0x1_0000)
        for first in 0xE0...0xEF {
            let one = ByteTrie.step(trie.pointer, from: ByteTrie.root, UInt8(first))
            if one < 0 { continue }
            for second in 0x80...0xBF {
                let two = ByteTrie.step(trie.pointer, from: one, UInt8(second))
                if two < 0 { continue }
                for third in 0x80...0xBF {
                    let scalar = (first & 0xF) << 12 | (second & 0x3F) << 6 | third & 0x3F
                    nodes[scalar] = Int32(truncatingIfNeeded: ByteTrie.step(trie.pointer, from: two, UInt8(third)))
                }
            }
        }
        return FrozenArray(nodes)
    }

    @inline(__always)
    private func findBestPath(_ text: UnsafePointer<UInt8>, _ length: Int, _ nodes: UnsafeMutablePointer<Node>) {
        let units = trie.pointer
        var start = 0
        while start < length {
            let scoreHere = nodes[start].score
            let (scalar, character) = UTF8Code.decode(text, at: start, end: length)
            var hasSingle = false
            var node = ByteTrie.root
            var position = start
            // Pieces are whole characters, so nothing is missed by starting after the first one.
            if character == 3 {
                node = Int(afterCharacter[Int(scalar)])
                position &+= 3
                if node >= 0 { note(node, units, start, position, scoreHere, nodes, &hasSingle, isSingle: true) }
            }
            while node >= 0, position < length {
                node = ByteTrie.step(units, from: node, text[position])
                if node < 0 { break }
                position &+= 1
                note(
                    node, units, start, position, scoreHere, nodes, &hasSingle,
                    isSingle: position &- start == character)
            }
            if !hasSingle {
                let score = unknownScore + scoreHere
                let end = start &+ character
                if nodes[end].start < 0 || score > nodes[end].score {
                    nodes[end] = Node(score: score, start: Int32(truncatingIfNeeded: start), piece: unknown)
                }
            }
            start &+= character
        }
    }

    /// Handles the piece that ends at `position`, if any: whether it makes the best path to there.
    @inline(__always)
    private func note(
        _ node: Int, _ units: UnsafePointer<ByteTrie.Unit>, _ start: Int, _ position: Int, _ scoreHere: Double,
        _ nodes: UnsafeMutablePointer<Node>, _ hasSingle: inout Bool, isSingle: Bool
    ) {
        let piece = units[node].value
        if piece < 0 { return }
        let score = scores[Int(piece)] + scoreHere
        if nodes[position].start < 0 || score > nodes[position].score {
            nodes[position] = Node(score: score, start: Int32(truncatingIfNeeded: start), piece: piece)
        }
        if isSingle { hasSingle = true }
    }

    /// Appends, last id first, the ids of a run of unknown characters: the piece with the same spelling, its bytes, or
    /// the unknown piece.
    private func appendUnknown(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, to ids: inout [Int32]) {
        let run = UnsafeBufferPointer(start: text + start, count: end - start)
        let exact = trie.value(of: run)
        if exact >= 0 {
            ids.append(exact)
        } else if let bytePieces, run.allSatisfy({ bytePieces[Int($0)] >= 0 }) {
            for byte in run.reversed() { ids.append(bytePieces[Int(byte)]) }
        } else {
            ids.append(unknown)
        }
    }
}

/// A tokenizer with a Unigram model (SentencePiece; Kudo 2018), with the same results as Hugging Face `tokenizers` for
/// the same `tokenizer.json`. Created by `TokenizerFiles.load`.
public struct UnigramTokenizer: Tokenizer {
    public let vocabularySize: Int
    private let pipeline: TokenizerPipeline

    init(pipeline: TokenizerPipeline, vocabularySize: Int) {
        self.pipeline = pipeline
        self.vocabularySize = vocabularySize
    }

    public func encode(
        _ line: UnsafeBufferPointer<UInt8>, maximumLength: Int, scratch: TokenizerScratch, into ids: inout [Int32]
    ) {
        pipeline.encode(line, maximumLength: maximumLength, scratch: scratch, into: &ids)
    }
}
