import Diagnostics

/// What a Replace normalizer looks for: fixed text, or one character class with a repeat count.
///
/// Of regular expressions, the kinds that tokenizer files use are understood: literal characters, `[…]` with ranges and
/// negation, `\s`, escapes (`\n`, `\t`, `\x41`, `\x{…}`, `\u0041`) and, after a single element, `+`, `{n}`, `{n,}`,
/// `{n,m}`. Anything else is refused by name.
enum ReplacePattern: Sendable {
    case text([UInt8])
    case repeated(ScalarClass, minimum: Int, maximum: Int)

    init(text: [UInt8], place: String) throws(UnderstudyError) {
        guard !text.isEmpty else {
            throw UnderstudyError(.invalidData, "a Replace normalizer has an empty pattern", at: place)
        }
        self = .text(text)
    }

    init(regularExpression source: [UInt8], place: String) throws(UnderstudyError) {
        guard let pattern = RegularExpressionReader.read(UTF8Code.scalars(source)) else {
            let shown = String(decoding: source, as: UTF8.self)
            throw UnderstudyError(
                .invalidData,
                "the regular expression '\(shown)' of a Replace normalizer isn't supported; supported are fixed text "
                    + "and one character class with +, {n}, {n,} or {n,m}", at: place)
        }
        self = pattern
    }

    /// End of the match at `index`, or nil.
    @inline(__always)
    func match(_ bytes: UnsafePointer<UInt8>, at index: Int, end: Int) -> Int? {
        switch self {
        case .text(let text):
            guard end - index >= text.count else { return nil }
            for offset in 0..<text.count where bytes[index + offset] != text[offset] { return nil }
            return index + text.count
        case .repeated(let members, let minimum, let maximum):
            var position = index
            var count = 0
            while position < end, count < maximum {
                let (scalar, length) = UTF8Code.decode(bytes, at: position, end: end)
                guard members.contains(scalar) else { break }
                position += length
                count += 1
            }
            return count >= minimum ? position : nil
        }
    }

    /// Code points at which a match may begin or go on.
    var members: [ClosedRange<UInt32>] {
        switch self {
        case .text(let text): UTF8Code.scalars(text).map { $0...$0 }
        case .repeated(let members, _, _): members.resolved
        }
    }

    /// Whether each code point matches or not by itself, whatever stands beside it.
    var isSingle: Bool {
        switch self {
        case .text(let text): UTF8Code.scalars(text).count == 1
        case .repeated(_, let minimum, let maximum): minimum == 1 && maximum == 1
        }
    }
}

/// A set of code points.
struct ScalarClass: Sendable {
    /// Sorted, disjoint.
    private let ranges: [ClosedRange<UInt32>]
    private let isNegated: Bool

    init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
        self.isNegated = isNegated
    }

    func contains(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return (low < ranges.count && ranges[low].lowerBound <= scalar) != isNegated
    }

    /// The members as ranges.
    var resolved: [ClosedRange<UInt32>] {
        if !isNegated { return ranges }
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return gaps
    }

    /// The regular expression `\s` of Oniguruma.
    static let space = UnicodeTableReader.ranges(UnicodeTables.whitespace)
}
