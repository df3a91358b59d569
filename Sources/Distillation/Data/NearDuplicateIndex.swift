import Bytes

/// Finds near-duplicate lines: another spelling, other figures, an additional word.
///
/// A line is reduced to its letters (width and case folded, all digits equal, everything else dropped) and these to the
/// set of their pairs. Two lines are near-duplicates if the sets' Jaccard similarity reaches a threshold. Candidates
/// are found by MinHash in bands (Broder 1997; Leskovec, Rajaraman & Ullman, "Mining of Massive Datasets", section
/// 3.4): at a similarity of 0.8, eight bands of four find 98 in 100. Each candidate is then compared exactly.
public struct NearDuplicateIndex: Sendable {
    /// Four in five pairs in common: headlines that differ by a figure or a word.
    public static let defaultSimilarity = 0.8

    private static let bands = 8
    private static let rows = 4
    /// Of a longer line only the first letters are used.
    private static let mostLetters = 512
    /// Maximum number of lines of one band's bucket that are compared; in a larger bucket only the first ones are.
    private static let mostCandidates = 64

    private let similarity: Double
    private var shingles: [[UInt32]] = []
    private var buckets: [UInt64: [Int32]] = [:]
    /// Lines without a pair of letters: compared directly.
    private var short: [[UInt32]: Int32] = [:]

    public init(similarity: Double = defaultSimilarity) {
        precondition(similarity > 0 && similarity <= 1, "a similarity must be between 0 and 1")
        self.similarity = similarity
    }

    public var count: Int { shingles.count }

    /// The number of the first near-duplicate line, in the order of insertion; nil if there is none.
    public func match(_ text: String) -> Int? { match(Self.shingles(text)) }

    /// Adds a line, whether or not it has near-duplicates; returns its number.
    @discardableResult
    public mutating func insert(_ text: String) -> Int {
        let set = Self.shingles(text)
        let number = shingles.count
        shingles.append(set)
        if set.count < 2 {
            if short[set] == nil { short[set] = Int32(number) }
            return number
        }
        for key in Self.keys(set) { buckets[key, default: []].append(Int32(number)) }
        return number
    }

    private func match(_ set: [UInt32]) -> Int? {
        if set.count < 2 { return short[set].map(Int.init) }
        var best: Int?
        for key in Self.keys(set) {
            for candidate in (buckets[key] ?? []).prefix(Self.mostCandidates) {
                let number = Int(candidate)
                if let best, number >= best { continue }
                if Self.jaccard(set, shingles[number]) >= similarity { best = number }
            }
        }
        return best
    }

    /// A line's letters in their normalised form.
    public static func normalised(_ text: String) -> String {
        String(String.UnicodeScalarView(letters(text).compactMap(Unicode.Scalar.init)))
    }

    /// The normalised letters.
    static func letters(_ text: String) -> [UInt32] {
        var letters: [UInt32] = []
        for scalar in text.unicodeScalars {
            guard letters.count < mostLetters else { break }
            var value = scalar.value
            // Full-width forms of ASCII.
            if (0xFF01...0xFF5E).contains(value) { value -= 0xFEE0 }
            switch value {
            case 0x30...0x39: letters.append(0x30)
            case 0x41...0x5A: letters.append(value + 0x20)
            case 0x61...0x7A: letters.append(value)
            case 0..<0x80: continue
            default:
                let properties = scalar.properties
                if properties.isAlphabetic {
                    letters.append(properties.lowercaseMapping.unicodeScalars.first?.value ?? value)
                } else if properties.numericType != nil {
                    letters.append(0x30)
                }
            }
        }
        return letters
    }

    /// The pairs of letters, ascending and distinct; for a line of one letter, that letter.
    static func shingles(_ text: String) -> [UInt32] {
        let letters = letters(text)
        guard letters.count > 1 else { return letters }
        var set: [UInt32] = []
        set.reserveCapacity(letters.count)
        // A pair of code points has 42 bits; their hash has 32, enough to distinguish the pairs of two lines.
        for (one, two) in zip(letters, letters.dropFirst()) {
            set.append(UInt32(truncatingIfNeeded: StableHash.mixed(UInt64(one) << 32 | UInt64(two))))
        }
        set.sort()
        var last: UInt32?
        return set.filter { value in
            defer { last = value }
            return value != last
        }
    }

    /// One key for each band.
    private static func keys(_ set: [UInt32]) -> [UInt64] {
        (0..<bands).map { band in
            var key = UInt64(band)
            for row in 0..<rows {
                let salt = UInt64(band * rows + row + 1) &* 0x9e37_79b9_7f4a_7c15
                var least = UInt64.max
                for value in set { least = min(least, StableHash.mixed(UInt64(value) ^ salt)) }
                key = StableHash.mixed(key ^ least)
            }
            return key
        }
    }

    static func jaccard(_ one: [UInt32], _ two: [UInt32]) -> Double {
        var common = 0
        var left = 0
        var right = 0
        while left < one.count, right < two.count {
            if one[left] == two[right] {
                common += 1
                left += 1
                right += 1
            } else if one[left] < two[right] {
                left += 1
            } else {
                right += 1
            }
        }
        let union = one.count + two.count - common
        return union == 0 ? 1 : Double(common) / Double(union)
    }
}
