import Bytes
import Diagnostics

/// The pattern of a Replace normalizer: fixed text, or one character class with a repeat count.
///
/// The regular expressions that tokenizer files use are supported: literal characters, `[…]` with ranges and negation,
/// `\s`, escapes (`\n`, `\t`, `\x41`, `\x{…}`, `\u0041`) and, after a single element, `+`, `{n}`, `{n,}`, `{n,m}`.
/// Anything else is refused by name.
package enum ReplacePattern: Sendable {
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

    /// The next place where a match may begin if there is none at `index`: behind a run that is too short, so that the
    /// time is linear in the line's length.
    func passed(_ bytes: UnsafePointer<UInt8>, at index: Int, end: Int) -> Int {
        let first = UTF8Code.decode(bytes, at: index, end: end)
        var position = index + first.length
        guard case .repeated(let members, _, _) = self, members.contains(first.scalar) else { return position }
        while position < end {
            let (scalar, length) = UTF8Code.decode(bytes, at: position, end: end)
            guard members.contains(scalar) else { break }
            position += length
        }
        return position
    }

    /// Code points at which a match may begin or continue.
    var members: [ClosedRange<UInt32>] {
        switch self {
        case .text(let text): UTF8Code.scalars(text).map { $0...$0 }
        case .repeated(let members, _, _): members.resolved
        }
    }

    /// Whether each code point matches independently of its neighbours.
    var isSingle: Bool {
        switch self {
        case .text(let text): UTF8Code.scalars(text).count == 1
        case .repeated(_, let minimum, let maximum): minimum == 1 && maximum == 1
        }
    }
}

/// Parses the kinds of regular expression that `ReplacePattern` supports.
struct RegularExpressionReader {
    private let source: [UInt32]
    private var index = 0

    private static let special = Set("\\[](){}.*+?^$|&".unicodeScalars.map(\.value))

    /// nil for an unsupported expression.
    static func read(_ source: [UInt32]) -> ReplacePattern? {
        var reader = RegularExpressionReader(source: source)
        return reader.pattern()
    }

    private init(source: [UInt32]) { self.source = source }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard index < source.count, source[index] == scalar.value else { return false }
        index += 1
        return true
    }

    private mutating func pattern() -> ReplacePattern? {
        var elements: [[ClosedRange<UInt32>]] = []
        while index < source.count {
            if take("[") {
                guard elements.isEmpty, let members = bracket() else { return nil }
                return quantified(members)
            }
            guard let element = element() else { return nil }
            elements.append(element)
            if index < source.count, "+{*?".unicodeScalars.contains(where: { $0.value == source[index] }) {
                return elements.count == 1 ? quantified(ScalarClass(element)) : nil
            }
        }
        if elements.count == 1 { return .repeated(ScalarClass(elements[0]), minimum: 1, maximum: 1) }
        var text: [UInt8] = []
        for element in elements {
            guard element.count == 1, element[0].count == 1 else { return nil }
            text += UTF8Code.encode(element[0].lowerBound)
        }
        return text.isEmpty ? nil : .text(text)
    }

    /// One character or `\s`.
    private mutating func element() -> [ClosedRange<UInt32>]? {
        guard index < source.count else { return nil }
        let scalar = source[index]
        index += 1
        if scalar == 0x5C { return escape() }
        return Self.special.contains(scalar) ? nil : [scalar...scalar]
    }

    private mutating func escape() -> [ClosedRange<UInt32>]? {
        guard index < source.count, let letter = Unicode.Scalar(source[index]) else { return nil }
        index += 1
        switch letter {
        case "s": return ScalarClass.space
        case "n": return [0x0A...0x0A]
        case "t": return [0x09...0x09]
        case "r": return [0x0D...0x0D]
        case "f": return [0x0C...0x0C]
        case "v": return [0x0B...0x0B]
        case "x":
            if take("{") {
                guard let value = hexadecimal(1...8), take("}") else { return nil }
                return [value...value]
            }
            return hexadecimal(2...2).map { [$0...$0] }
        case "u": return hexadecimal(4...4).map { [$0...$0] }
        default:
            // An escaped letter or digit may have a meaning; any other escaped sign is that sign.
            return letter.isASCII && !letter.properties.isAlphabetic && letter.properties.numericType == nil
                ? [letter.value...letter.value] : nil
        }
    }

    private mutating func hexadecimal(_ lengths: ClosedRange<Int>) -> UInt32? {
        var value: UInt32 = 0
        var count = 0
        while count < lengths.upperBound, index < source.count, let scalar = Unicode.Scalar(source[index]),
            let digit = Character(scalar).hexDigitValue
        {
            value = value << 4 | UInt32(digit)
            index += 1
            count += 1
        }
        return count >= lengths.lowerBound && value <= 0x10FFFF ? value : nil
    }

    /// The rest of `[…]`.
    private mutating func bracket() -> ScalarClass? {
        let isNegated = take("^")
        var members: [ClosedRange<UInt32>] = []
        var isClosed = false
        while index < source.count {
            isClosed = take("]")
            if isClosed { break }
            guard source[index] != 0x5B, source[index] != 0x26, let low = member() else { return nil }
            if index + 1 < source.count, source[index] == 0x2D, source[index + 1] != 0x5D {
                index += 1
                guard low.count == 1, low[0].count == 1, let high = member(), high.count == 1, high[0].count == 1,
                    low[0].lowerBound <= high[0].lowerBound
                else { return nil }
                members.append(low[0].lowerBound...high[0].lowerBound)
            } else {
                members += low
            }
        }
        guard isClosed, !members.isEmpty else { return nil }
        return ScalarClass(members, isNegated: isNegated)
    }

    /// One member of a bracket, where only `\`, `]`, `[` and `&` are special.
    private mutating func member() -> [ClosedRange<UInt32>]? {
        let scalar = source[index]
        index += 1
        return scalar == 0x5C ? escape() : [scalar...scalar]
    }

    private mutating func quantified(_ members: ScalarClass) -> ReplacePattern? {
        var minimum = 1
        var maximum = 1
        if take("+") {
            maximum = .max
        } else if take("{") {
            guard let low = decimal() else { return nil }
            minimum = low
            maximum = low
            if take(",") { maximum = decimal() ?? .max }
            guard take("}"), minimum >= 1, maximum >= minimum else { return nil }
        }
        return index == source.count ? .repeated(members, minimum: minimum, maximum: maximum) : nil
    }

    private mutating func decimal() -> Int? {
        var value: Int?
        while index < source.count, source[index] >= 0x30, source[index] <= 0x39, (value ?? 0) < 100_000 {
            value = (value ?? 0) * 10 + Int(source[index] - 0x30)
            index += 1
        }
        return value
    }
}

/// A set of code points.
package struct ScalarClass: Sendable {
    /// Sorted, disjoint.
    private let ranges: [ClosedRange<UInt32>]
    private let isNegated: Bool

    package init(_ ranges: [ClosedRange<UInt32>], isNegated: Bool = false) {
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
