import Models
import Tensors

/// Makes more unlabelled lines from the given ones, for the teacher to score (Tang et al. 2019, §3.2, with changes).
///
/// Masking replaces words by the mask, n-gram sampling keeps one stretch of a line; Tang's part-of-speech replacement
/// needs a tagger and is omitted. Instead two lines are spliced, the head of one to the tail of another, which gives
/// lines between the classes. A word here is one ideograph, or a run of other letters and digits.
public struct TransferAugmentation: Sendable, Equatable {
    /// Probability that a word is masked (p_mask of the paper).
    public var maskShare: Float = 0
    /// Probability that a line is cut to one n-gram (p_ng of the paper).
    public var sampleShare: Float = 1
    /// Probability that a line is spliced with another one.
    public var spliceShare: Float = 0
    /// The replacement of a masked word: the tokenizer's mask, or empty.
    public var mask: [UInt8] = []

    public init() {}

    /// Up to `count` new lines, each from a random line of `lines`; repetitions and empty lines are dropped.
    public func generate(_ count: Int, from lines: LineBatch, seed: UInt64) -> LineBatch {
        var generator = SeededGenerator(seed: seed, stream: 77)
        var result = LineBatch()
        var seen = Set<[UInt8]>()
        guard lines.count > 0 else { return result }
        for _ in 0..<count {
            var words = self.words(of: generator.next(below: lines.count), in: lines)
            if generator.chance(spliceShare) {
                let other = self.words(of: generator.next(below: lines.count), in: lines)
                let head = words.count - words.count / 2
                words = Array(words[..<head]) + other[(other.count / 2)...]
            }
            if generator.chance(sampleShare), words.count > 1 {
                // From a third of the line to all of it: shorter stretches of a headline carry too little information.
                let shortest = (words.count + 2) / 3
                let length = shortest + generator.next(below: words.count - shortest + 1)
                let start = generator.next(below: words.count - length + 1)
                words = Array(words[start..<start + length])
            }
            var line: [UInt8] = []
            for word in words { line.append(contentsOf: generator.chance(maskShare) ? mask[...] : word) }
            if !line.isEmpty, seen.insert(line).inserted { result.append(line) }
        }
        return result
    }

    /// Splits a line into words; text between words stays with the word before it.
    private func words(of index: Int, in lines: LineBatch) -> [ArraySlice<UInt8>] {
        let line = lines.bytes[lines.offsets[index]..<lines.offsets[index + 1]]
        var words: [ArraySlice<UInt8>] = []
        var start = line.startIndex
        var position = line.startIndex
        var previousIsWide = false
        while position < line.endIndex {
            let byte = line[position]
            let width = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            let isWide = width >= 3
            let isSpace = byte == 0x20
            if position > start, isWide || previousIsWide || isSpace {
                words.append(line[start..<position])
                start = position
            }
            previousIsWide = isWide
            position = min(position + width, line.endIndex)
        }
        if start < line.endIndex { words.append(line[start...]) }
        return words
    }
}
