import Bytes

/// The four Unicode normalisation forms (Unicode Standard Annex 15).
package enum NormalizationForm: String, Sendable {
    case nfd = "NFD"
    case nfc = "NFC"
    case nfkd = "NFKD"
    case nfkc = "NFKC"

    private var isCompatibility: Bool { self == .nfkd || self == .nfkc }
    private var isComposed: Bool { self == .nfc || self == .nfkc }

    /// Code points that the form changes even without context, except Hangul syllables.
    var decomposable: [ClosedRange<UInt32>] {
        UnicodeTableReader.ranges(
            isCompatibility ? UnicodeTables.compatibilityDecomposable : UnicodeTables.canonicallyDecomposable)
    }

    var changesHangulSyllables: Bool { !isComposed }

    /// Whether the form of `scalar` may depend on its neighbours.
    func isContextual(_ scalar: UInt32) -> Bool {
        var first: UInt32?
        Decompositions.shared.forEach(of: scalar, compatibility: isCompatibility) { if first == nil { first = $0 } }
        guard let first else { return true }
        if UnicodeProperties.shared.combiningClass[first] != 0 { return true }
        return isComposed && Decompositions.shared.joinsBackwards(first)
    }

    /// Appends the form of `source` to `text`. `scalars` is working memory.
    func append(
        _ source: UnsafeBufferPointer<UInt8>, to text: inout GrowableBuffer<UInt8>,
        scalars: inout GrowableBuffer<UInt64>
    ) {
        guard let base = source.baseAddress else { return }
        let classes = UnicodeProperties.shared.combiningClass
        let decompositions = Decompositions.shared
        scalars.count = 0
        var index = 0
        while index < source.count {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: source.count)
            index &+= length
            decompositions.forEach(of: scalar, compatibility: isCompatibility) {
                Self.insert($0, class: classes[$0], into: &scalars)
            }
        }
        if isComposed { Self.compose(&scalars, decompositions) }
        for index in 0..<scalars.count { text.append(scalar: UInt32(truncatingIfNeeded: scalars.base[index])) }
    }

    /// Canonical ordering: moves a mark before the preceding marks of higher class. An element is (class << 32 | code
    /// point).
    @inline(__always)
    private static func insert(_ scalar: UInt32, class order: UInt8, into scalars: inout GrowableBuffer<UInt64>) {
        scalars.append(UInt64(order) << 32 | UInt64(scalar))
        if order == 0 { return }
        var index = scalars.count - 1
        while index > 0, scalars.base[index - 1] >> 32 > UInt64(order) {
            let moved = scalars.base[index - 1]
            scalars.base[index - 1] = scalars.base[index]
            scalars.base[index] = moved
            index -= 1
        }
    }

    /// Canonical composition (The Unicode Standard, definition D117), in place.
    private static func compose(_ scalars: inout GrowableBuffer<UInt64>, _ decompositions: Decompositions) {
        let all = scalars.base
        var written = 0
        var starter: Int?
        var lastClass: UInt64 = 0
        for index in 0..<scalars.count {
            let element = all[index]
            let order = element >> 32
            // Blocked: there is a mark of the same or a higher class, or a starter, in between.
            let adjacent = starter.map { $0 == written - 1 } ?? false
            if let starter, adjacent || lastClass < order,
                let composite = decompositions.composite(
                    UInt32(truncatingIfNeeded: all[starter]), UInt32(truncatingIfNeeded: element))
            {
                all[starter] = UInt64(composite)
                continue
            }
            if order == 0 { starter = written }
            lastClass = order
            all[written] = element
            written += 1
        }
        scalars.count = written
    }
}
