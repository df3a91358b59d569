import Bytes

/// Hashes a line's character n-grams (orders 1 to 3) into buckets, for a linear model over them.
///
/// The characters are those of `CharacterTokenizer` (folded, without white space), with a mark before the first and
/// after the last one. The marks are part of n-grams of order 2 and 3, except n-grams of only marks. A line of n > 0
/// characters has n + (n + 1) + n n-grams; an empty one has none. Buckets are the same on every machine.
public struct NGramHasher: Sendable {
    /// Buckets are numbered from 0 to 2^bits − 1.
    public let bits: Int
    private let folding: CharacterFolding

    // Not code points; they fit in the same 21 bits as real ones.
    private static let begin: UInt64 = 0x11_0000
    private static let end: UInt64 = 0x11_0001
    private static let absent: UInt64 = 0x11_0002

    /// - Parameter bits: 1 ... 31.
    public init(bits: Int, folding: CharacterFolding = CharacterFolding()) {
        precondition((1...31).contains(bits), "an n-gram hasher has 2^1 to 2^31 buckets")
        self.bits = bits
        self.folding = folding
    }

    public var bucketCount: Int { 1 << bits }

    /// Appends the buckets of one line's n-grams: for each character, and finally for the end mark, those of order 1, 2
    /// and 3 that end there. Allocates nothing if `buckets` has room.
    public func append(_ line: UnsafeBufferPointer<UInt8>, to buckets: inout [Int32]) {
        guard let base = line.baseAddress else { return }
        var last = Self.begin
        var secondLast = Self.absent
        var index = 0
        while index < line.count {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: line.count)
            index &+= length
            let folded = folding.table[scalar]
            if folded == CharacterFolding.dropped { continue }
            let current = UInt64(folded)
            buckets.append(bucket(Self.absent, Self.absent, current))
            buckets.append(bucket(Self.absent, last, current))
            if secondLast != Self.absent { buckets.append(bucket(secondLast, last, current)) }
            secondLast = last
            last = current
        }
        if secondLast == Self.absent { return }
        buckets.append(bucket(Self.absent, last, Self.end))
        buckets.append(bucket(secondLast, last, Self.end))
    }

    /// The top bits of a well-mixed hash of the three symbols.
    @inline(__always)
    private func bucket(_ first: UInt64, _ second: UInt64, _ third: UInt64) -> Int32 {
        Int32(truncatingIfNeeded: ByteHash.mix(first << 42 | second << 21 | third) >> UInt64(64 - bits))
    }
}
