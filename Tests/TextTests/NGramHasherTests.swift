import Testing
import Text

struct NGramHasherTests {
    private static func buckets(_ text: String, _ hasher: NGramHasher) -> [Int32] {
        var buckets: [Int32] = []
        Array(text.utf8).withUnsafeBufferPointer { hasher.append($0, to: &buckets) }
        return buckets
    }

    /// Against the plain reading in Tests/Goldens/make-tokenizer-goldens.py.
    @Test func bucketsEqualGoldens() throws {
        let goldens: Goldens.NGrams = try Goldens.read("ngrams.json")
        let hasher = NGramHasher(bits: goldens.bits)
        for (text, wanted) in zip(goldens.texts, goldens.buckets) {
            #expect(Self.buckets(text, hasher) == wanted, "\(text)")
        }
    }

    @Test(arguments: [1, 10, 20, 31])
    func bucketsAreInRangeAndSpread(_ bits: Int) {
        let hasher = NGramHasher(bits: bits)
        var seen = Set<Int32>()
        for first in UInt32(0x4E00)..<0x4E80 {
            let text = String(String.UnicodeScalarView([first, first + 1].compactMap(Unicode.Scalar.init)))
            let buckets = Self.buckets(text, hasher)
            #expect(buckets.count == 7)
            #expect(buckets.allSatisfy { $0 >= 0 && Int($0) < hasher.bucketCount })
            seen.formUnion(buckets)
        }
        // 769 distinct n-grams; random ones would leave 542 ± 10 of 1024 buckets filled.
        if bits == 10 { #expect((480...600).contains(seen.count)) }
        if bits == 1 { #expect(seen == [0, 1]) }
    }

    @Test func marksTellBeginningsFromMiddles() {
        let hasher = NGramHasher(bits: 30)
        #expect(Self.buckets("", hasher).isEmpty)
        #expect(Self.buckets(" \t", hasher).isEmpty)
        #expect(Self.buckets("a", hasher).count == 4)
        #expect(Set(Self.buckets("ab", hasher)).intersection(Self.buckets("ba", hasher)).count == 2)
        #expect(Self.buckets("ＡB", hasher) == Self.buckets("a b", hasher))
    }
}
