import Bytes

/// One normalizer of a `tokenizer.json`, or a part of BertNormalizer.
package enum NormalizerStep: Sendable {
    /// BertNormalizer `clean_text`: removes control characters, and turns white space into spaces.
    case clean
    /// BertNormalizer `handle_chinese_chars`: a space on either side of an ideograph.
    case spaceIdeographs
    case form(NormalizationForm)
    /// BertNormalizer `strip_accents`, after NFD.
    case dropNonspacingMarks
    /// StripAccents.
    case dropCombiningMarks
    case lowercase
    case strip(left: Bool, right: Bool)
    case prepend([UInt8])
    case replace(ReplacePattern, content: [UInt8])
    case precompiled(PrecompiledCharacterMap)

    /// BertNormalizer: accents are stripped if `stripsAccents` is true; if it is nil, when lower-casing.
    package static func bert(
        cleansText: Bool, spacesIdeographs: Bool, stripsAccents: Bool?, lowercases: Bool
    ) -> [NormalizerStep] {
        var steps: [NormalizerStep] = []
        if cleansText { steps.append(.clean) }
        if spacesIdeographs { steps.append(.spaceIdeographs) }
        if stripsAccents ?? lowercases { steps += [.form(.nfd), .dropNonspacingMarks] }
        if lowercases { steps.append(.lowercase) }
        return steps
    }

    /// Code points that the step may change without context. Those that it treats alike because of a property are
    /// handled by `NormalizationPlan`.
    var affected: [ClosedRange<UInt32>] {
        switch self {
        case .clean: ScalarClass.space
        case .spaceIdeographs, .prepend: []
        case .form(let form):
            form.decomposable + (form.changesHangulSyllables ? [UnicodeProperties.hangulSyllables] : [])
                + UnicodeTableReader.runs(UnicodeTables.combiningClasses, extras: 1).map(\.range)
                + Self.conjoining
        case .dropNonspacingMarks: UnicodeTableReader.ranges(UnicodeTables.nonspacingMarks)
        case .dropCombiningMarks: UnicodeTableReader.ranges(UnicodeTables.combiningMarks)
        case .lowercase: UnicodeProperties.uppercase
        case .strip: ScalarClass.space
        case .replace(let pattern, _): pattern.members
        case .precompiled(let map): map.replacedAlone
        }
    }

    /// Hangul vowels and trailing consonants, and the other starters that compose with the preceding code point.
    private static let conjoining: [ClosedRange<UInt32>] =
        [0x1161...0x1175, 0x11A8...0x11C2] + (0...0x1FFFF).filter(Decompositions.shared.joinsBackwards).map { $0...$0 }

    /// Returns a test of whether the step's result for a code point may depend on its neighbours.
    func makeContextTest() -> (UInt32) -> Bool {
        switch self {
        case .clean, .spaceIdeographs, .dropNonspacingMarks, .dropCombiningMarks, .lowercase: return { _ in false }
        case .form(let form): return { form.isContextual($0) }
        case .strip: return { UnicodeProperties.shared.flags[$0].contains(.whitespace) }
        case .prepend: return { _ in true }
        case .replace(let pattern, _):
            if pattern.isSingle { return { _ in false } }
            let members = ScalarClass(pattern.members)
            return { members.contains($0) }
        case .precompiled:
            let alone = ScalarClass(PrecompiledCharacterMap.standingAlone)
            return { !alone.contains($0) }
        }
    }

    /// Appends the step's result for `source` to `text`. Returns `false` if the first code point of `source` was
    /// removed.
    func append(
        _ source: UnsafeBufferPointer<UInt8>, to text: inout GrowableBuffer<UInt8>,
        scalars: inout GrowableBuffer<UInt64>
    ) -> Bool {
        guard let base = source.baseAddress, !source.isEmpty else { return true }
        let properties = UnicodeProperties.shared
        switch self {
        case .clean:
            return Self.map(source, to: &text) { scalar, text in
                let flags = properties.flags[scalar]
                if flags.contains(.dropped) { return }
                text.append(scalar: flags.contains(.whitespace) ? 0x20 : scalar)
            }
        case .spaceIdeographs:
            return Self.map(source, to: &text) { scalar, text in
                let isIdeograph = properties.flags[scalar].contains(.ideograph)
                if isIdeograph { text.append(0x20) }
                text.append(scalar: scalar)
                if isIdeograph { text.append(0x20) }
            }
        case .form(let form):
            form.append(source, to: &text, scalars: &scalars)
            return true
        case .dropNonspacingMarks:
            return Self.map(source, to: &text) { scalar, text in
                if !properties.flags[scalar].contains(.nonspacingMark) { text.append(scalar: scalar) }
            }
        case .dropCombiningMarks:
            return Self.map(source, to: &text) { scalar, text in
                if !properties.flags[scalar].contains(.combiningMark) { text.append(scalar: scalar) }
            }
        case .lowercase:
            return Self.map(source, to: &text) { scalar, text in properties.appendLowercase(scalar, to: &text) }
        case .strip(let left, let right):
            let kept = Self.stripped(source, left: left, right: right)
            text.append(base + kept.lowerBound, kept.count)
            return kept.lowerBound == 0
        case .prepend(let prefix):
            for byte in prefix { text.append(byte) }
            text.append(base, source.count)
            return true
        case .replace(let pattern, let content):
            return Self.replace(pattern, content, in: source, to: &text)
        case .precompiled(let map):
            return map.append(source, to: &text)
        }
    }

    @inline(__always)
    private static func map(
        _ source: UnsafeBufferPointer<UInt8>, to text: inout GrowableBuffer<UInt8>,
        _ body: (UInt32, inout GrowableBuffer<UInt8>) -> Void
    ) -> Bool {
        guard let base = source.baseAddress else { return true }
        var index = 0
        var keepsFirst = true
        let before = text.count
        while index < source.count {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: source.count)
            body(scalar, &text)
            if index == 0 { keepsFirst = text.count > before }
            index &+= length
        }
        return keepsFirst
    }

    private static func stripped(_ source: UnsafeBufferPointer<UInt8>, left: Bool, right: Bool) -> Range<Int> {
        guard let base = source.baseAddress else { return 0..<0 }
        let flags = UnicodeProperties.shared.flags
        var start = 0
        while left, start < source.count {
            let (scalar, length) = UTF8Code.decode(base, at: start, end: source.count)
            guard flags[scalar].contains(.whitespace) else { break }
            start += length
        }
        var end = source.count
        while right, end > start {
            let last = UTF8Code.previousStart(base, before: end)
            guard flags[UTF8Code.decode(base, at: last, end: end).scalar].contains(.whitespace) else { break }
            end = last
        }
        return start..<max(start, end)
    }

    private static func replace(
        _ pattern: ReplacePattern, _ content: [UInt8], in source: UnsafeBufferPointer<UInt8>,
        to text: inout GrowableBuffer<UInt8>
    ) -> Bool {
        guard let base = source.baseAddress else { return true }
        var index = 0
        var keepsFirst = true
        while index < source.count {
            if let end = pattern.match(base, at: index, end: source.count), end > index {
                for byte in content { text.append(byte) }
                if index == 0 { keepsFirst = !content.isEmpty }
                index = end
            } else {
                let next = pattern.passed(base, at: index, end: source.count)
                text.append(base + index, next - index)
                index = next
            }
        }
        return keepsFirst
    }
}

/// Limits of a sequence of normalizers, checked when a file is read: each Replace can turn one character into ten, so a
/// dozen of them could exhaust any memory with a single line.
enum NormalizerLimits {
    /// Files have a handful.
    static let mostSteps = 64
    /// Maximum number of bytes that the steps together may make of one: more than SentencePiece's map (33) with a
    /// Replace that writes a mark (3) and a Prepend.
    static let greatestGrowth = 1024

    /// An error message about the sequence; nil if it is valid.
    static func problem(of steps: [NormalizerStep]) -> String? {
        guard steps.count <= mostSteps else {
            return "there are \(steps.count) normalizers; at most \(mostSteps) are allowed"
        }
        var growth = 1
        for step in steps {
            let (product, overflow) = growth.multipliedReportingOverflow(by: step.greatestGrowth)
            guard !overflow, product <= greatestGrowth else {
                return "the normalizers could make a text more than \(greatestGrowth) times as long; reduce what they "
                    + "insert"
            }
            growth = product
        }
        return nil
    }
}

extension NormalizerStep {
    /// Maximum number of bytes that the step may make of one, if the file determines it; Unicode's mappings are
    /// bounded.
    fileprivate var greatestGrowth: Int {
        func perByte(_ made: Int, of taken: Int) -> Int { max(1, (made + taken - 1) / taken) }
        switch self {
        case .clean, .spaceIdeographs, .form, .dropNonspacingMarks, .dropCombiningMarks, .lowercase, .strip: return 1
        case .prepend(let text): return 1 + text.count
        case .replace(.text(let text), let content): return perByte(content.count, of: max(1, text.count))
        case .replace(.repeated(_, let minimum, _), let content): return perByte(content.count, of: max(1, minimum))
        case .precompiled(let map): return max(1, map.longestReplacement)
        }
    }
}
