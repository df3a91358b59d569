import Bytes

/// A sequence of normalizers, applied to a stretch of text.
///
/// For nearly all code points the result of the whole sequence doesn't depend on the neighbours. `init` runs the
/// sequence on each such code point that it changes and tabulates the results, so a line is normalised in one pass. A
/// line with any other code point (such as a combining mark) is processed step by step.
package struct NormalizationPlan: Sendable {
    /// The handling of a code point: an `Action`, or from `Action.firstReplacement` on the number of a replacement.
    private enum Action {
        static let keep: UInt16 = 0
        static let contextual: UInt16 = 1
        /// Adds a space before and after.
        static let surround: UInt16 = 2
        /// Writes a space, unless one was just written.
        static let collapse: UInt16 = 3
        static let firstReplacement: UInt16 = 4
    }

    private let steps: [NormalizerStep]
    private let actions: CodePointTable<UInt16>
    private let replacements: FrozenArray<UInt8>
    private let replacementStarts: FrozenArray<Int32>

    /// False if no code point can be normalised independently of its neighbours.
    private let isLocal: Bool

    package init(_ steps: [NormalizerStep]) {
        self.steps = steps
        var builder = Builder(steps: steps)
        isLocal = !steps.contains { if case .prepend = $0 { true } else { false } }
        actions = CodePointTable(isLocal ? builder.tabulate() : [UInt16](repeating: Action.contextual, count: 0x110000))
        replacements = FrozenArray(builder.bytes)
        replacementStarts = FrozenArray(builder.starts)
    }

    /// Writes the normalised form of `source` to `scratch.normalized`.
    ///
    /// - Returns: `false` if the first code point of `source` was removed.
    func normalize(_ source: UnsafeBufferPointer<UInt8>, scratch: TokenizerScratch) -> Bool {
        if isLocal, let keepsFirst = normalizeLocally(source, to: &scratch.normalized) { return keepsFirst }
        return normalizeStepwise(source, scratch: scratch)
    }

    /// Runs the steps one after the other: this is used to make the table, and must agree with it.
    private func normalizeStepwise(_ source: UnsafeBufferPointer<UInt8>, scratch: TokenizerScratch) -> Bool {
        scratch.normalized.count = 0
        if let base = source.baseAddress { scratch.normalized.append(base, source.count) }
        var keepsFirst = true
        for step in steps {
            scratch.swapNormalized()
            scratch.normalized.count = 0
            let input = UnsafeBufferPointer(start: scratch.otherNormalized.base, count: scratch.otherNormalized.count)
            let kept = step.append(input, to: &scratch.normalized, scalars: &scratch.scalars)
            keepsFirst = keepsFirst && kept
        }
        return keepsFirst
    }

    /// nil if a code point of `source` depends on its neighbours.
    private func normalizeLocally(
        _ source: UnsafeBufferPointer<UInt8>, to text: inout GrowableBuffer<UInt8>
    ) -> Bool? {
        text.count = 0
        guard let base = source.baseAddress else { return true }
        let end = source.count
        var index = 0
        var keepsFirst = true
        while index < end {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: end)
            let action = actions[scalar]
            text.ensure(8)
            if action == Action.keep {
                Self.copy(base + index, length, to: &text)
            } else if action == Action.surround {
                text.append(0x20)
                Self.copy(base + index, length, to: &text)
                text.append(0x20)
            } else if action == Action.collapse {
                if text.count == 0 || text.base[text.count &- 1] != 0x20 { text.append(0x20) }
            } else if action == Action.contextual {
                return nil
            } else {
                let number = Int(action &- Action.firstReplacement)
                let start = Int(replacementStarts[number])
                text.append(replacements.pointer(at: start), Int(replacementStarts[number &+ 1]) &- start)
                if index == 0 { keepsFirst = text.count > 0 }
            }
            index &+= length
        }
        return keepsFirst
    }

    /// The caller has reserved the room.
    @inline(__always)
    private static func copy(_ source: UnsafePointer<UInt8>, _ length: Int, to text: inout GrowableBuffer<UInt8>) {
        let target = text.base + text.count
        target[0] = source[0]
        if length > 1 { target[1] = source[1] }
        if length > 2 { target[2] = source[2] }
        if length > 3 { target[3] = source[3] }
        text.count &+= length
    }
}

extension NormalizationPlan {
    /// The normalised form of a text, for tests.
    package func normalize(_ text: [UInt8]) -> [UInt8] { run(text, normalize) }

    /// The same without the table, for tests.
    package func normalizeStepwise(_ text: [UInt8]) -> [UInt8] { run(text, normalizeStepwise) }

    private func run(
        _ text: [UInt8], _ work: (UnsafeBufferPointer<UInt8>, TokenizerScratch) -> Bool
    ) -> [UInt8] {
        let scratch = TokenizerScratch()
        _ = text.withUnsafeBufferPointer { work($0, scratch) }
        return Array(UnsafeBufferPointer(start: scratch.normalized.base, count: scratch.normalized.count))
    }
}

extension NormalizationPlan {
    private struct Builder {
        let steps: [NormalizerStep]
        var bytes: [UInt8] = []
        var starts: [Int32] = [0]
        private var numbers: [[UInt8]: UInt16] = [:]
        private let contextTests: [(UInt32) -> Bool]
        /// Whether the last step collapses runs of spaces: the only contextual step that the fast path supports.
        private let collapses: Bool
        private let scratch = TokenizerScratch()
        /// Maximum number of bytes of tabulated replacements; further code points are processed step by step.
        private static let mostBytes = 1 << 26

        init(steps: [NormalizerStep]) {
            self.steps = steps
            collapses = steps.last.map(Self.collapsesSpaces) ?? false
            contextTests = steps.map { $0.makeContextTest() }
        }

        private static func collapsesSpaces(_ step: NormalizerStep) -> Bool {
            guard case .replace(.repeated(let members, let minimum, .max), let content) = step else { return false }
            return members.resolved == [0x20...0x20] && minimum <= 2 && content == [0x20]
        }

        mutating func tabulate() -> [UInt16] {
            var actions = [UInt16](repeating: Action.keep, count: 0x110000)
            var isCandidate = [Bool](repeating: false, count: 0x110000)
            for range in steps.flatMap(\.affected) { for scalar in range { isCandidate[Int(scalar)] = true } }
            let properties = UnicodeProperties.shared
            for (index, step) in steps.enumerated() {
                switch step {
                case .clean:
                    // Code points that only this step changes, all in the same way.
                    let nothing = number(of: []) ?? Action.contextual
                    for range in UnicodeTableReader.ranges(UnicodeTables.droppedByBert) {
                        for scalar in range { actions[Int(scalar)] = nothing }
                    }
                case .spaceIdeographs:
                    let laterSteps = steps[(index + 1)...]
                    let isPlain = !laterSteps.contains { $0.affected.contains { $0.contains(0x20) } }
                    for range in UnicodeProperties.ideographs {
                        for scalar in range { actions[Int(scalar)] = isPlain ? Action.surround : Action.contextual }
                    }
                case .precompiled:
                    let alone = ScalarClass(PrecompiledCharacterMap.standingAlone).resolved
                    var next: UInt32 = 0
                    for range in alone + [0x110000...0x110000] {
                        for scalar in next..<range.lowerBound { actions[Int(scalar)] = Action.contextual }
                        next = range.upperBound + 1
                    }
                default: break
                }
            }
            for scalar in UInt32(0)..<0x110000 where isCandidate[Int(scalar)] && Unicode.Scalar(scalar) != nil {
                // Ideographs that another step changes too have their spaces in the result.
                actions[Int(scalar)] = action(for: scalar, properties)
            }
            return actions
        }

        /// Runs the steps on one code point.
        private mutating func action(for scalar: UInt32, _ properties: UnicodeProperties) -> UInt16 {
            scratch.normalized.count = 0
            scratch.normalized.append(scalar: scalar)
            for (index, step) in steps.enumerated() {
                let isCollapse = collapses && index == steps.count - 1
                var position = 0
                while position < scratch.normalized.count, !isCollapse {
                    let (scalar, length) = UTF8Code.decode(
                        scratch.normalized.base, at: position, end: scratch.normalized.count)
                    if contextTests[index](scalar) { return Action.contextual }
                    position += length
                }
                if isCollapse { break }
                scratch.swapNormalized()
                scratch.normalized.count = 0
                let input = UnsafeBufferPointer(
                    start: scratch.otherNormalized.base, count: scratch.otherNormalized.count)
                _ = step.append(input, to: &scratch.normalized, scalars: &scratch.scalars)
            }
            let result = Array(UnsafeBufferPointer(start: scratch.normalized.base, count: scratch.normalized.count))
            if collapses, result.contains(0x20) { return result == [0x20] ? Action.collapse : Action.contextual }
            return result == UTF8Code.encode(scalar) ? Action.keep : number(of: result) ?? Action.contextual
        }

        private mutating func number(of replacement: [UInt8]) -> UInt16? {
            if let known = numbers[replacement] { return known }
            guard numbers.count < Int(UInt16.max - Action.firstReplacement),
                bytes.count + replacement.count <= Self.mostBytes
            else { return nil }
            let number = Action.firstReplacement + UInt16(numbers.count)
            numbers[replacement] = number
            bytes += replacement
            starts.append(Int32(bytes.count))
            return number
        }
    }
}
