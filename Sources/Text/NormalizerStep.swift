/// One normalizer of a `tokenizer.json`, or a part of BertNormalizer.
package enum NormalizerStep: Sendable {
    /// BertNormalizer `clean_text`: control characters go, white space becomes a space.
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

    /// BertNormalizer: accents are stripped if `stripsAccents` says so, and if it says nothing, when lower-casing.
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

    /// Code points that the step may change when they stand alone. Those that it treats all alike, because of a
    /// property, are left to `NormalizationPlan`.
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

    /// Hangul vowels and trailing consonants, and the other starters that compose with what stands before them.
    private static let conjoining: [ClosedRange<UInt32>] =
        [0x1161...0x1175, 0x11A8...0x11C2] + (0...0x1FFFF).filter(Decompositions.shared.joinsBackwards).map { $0...$0 }

    /// Says of a code point whether what the step does to it may depend on its neighbours.
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

    /// Appends what the step makes of `source` to `text`. `false` if the first code point of `source` vanished.
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
