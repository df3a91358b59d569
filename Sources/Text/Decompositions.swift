import Foundation

/// The decomposition mappings of Unicode and their inverse compositions (Unicode Standard Annex 15).
///
/// `UnicodeTables` determines which code points decompose (Unicode 12, as in Hugging Face); the mappings are read from
/// Foundation once. Unicode's stability policy guarantees that the mapping of an assigned code point doesn't change.
struct Decompositions: Sendable {
    static let shared = Decompositions()

    /// Hangul syllables are composed by arithmetic (The Unicode Standard, section 3.12).
    enum Hangul {
        static let syllables: UInt32 = 0xAC00
        static let leads: UInt32 = 0x1100
        static let vowels: UInt32 = 0x1161
        static let trails: UInt32 = 0x11A7
        static let leadCount: UInt32 = 19
        static let vowelCount: UInt32 = 21
        static let trailCount: UInt32 = 28
        static let syllableCount: UInt32 = 11172
    }

    /// Full mapping of a code point: start in `scalars` and length; length 0 if it maps to itself.
    private struct Entry: BitwiseCopyable, Sendable {
        var start: UInt16 = 0
        var length: UInt16 = 0
    }

    private let canonical: CodePointTable<Entry>
    private let compatibility: CodePointTable<Entry>
    private let scalars: FrozenArray<UInt32>
    /// (first << 32 | second) → composite.
    private let composites: [UInt64: UInt32]
    /// Second elements of a composite, Hangul's included.
    private let joiners: Set<UInt32>

    private init() {
        let canonicalSources = UnicodeTableReader.ranges(UnicodeTables.canonicallyDecomposable).flatMap(Array.init)
        let compatibilitySources = UnicodeTableReader.ranges(UnicodeTables.compatibilityDecomposable)
            .flatMap(Array.init)
        let canonicalTargets = Self.map(canonicalSources) { $0.decomposedStringWithCanonicalMapping }
        let compatibilityTargets = Self.map(compatibilitySources) { $0.decomposedStringWithCompatibilityMapping }

        var scalars: [UInt32] = []
        func table(_ targets: [(source: UInt32, target: [UInt32])]) -> CodePointTable<Entry> {
            var entries = [Entry](repeating: Entry(), count: 0x110000)
            for (source, target) in targets {
                entries[Int(source)] = Entry(start: UInt16(scalars.count), length: UInt16(target.count))
                scalars += target
            }
            return CodePointTable(entries)
        }
        canonical = table(canonicalTargets)
        compatibility = table(compatibilityTargets)
        self.scalars = FrozenArray(scalars)

        // In a primary composite, the last code point combines with the composite of those before it.
        var composites: [UInt64: UInt32] = [:]
        var joiners = Set<UInt32>()
        for wanted in 2...4 {
            for (source, target) in canonicalTargets where target.count == wanted {
                guard let scalar = Unicode.Scalar(source), !scalar.properties.isFullCompositionExclusion else {
                    continue
                }
                var first = target[0]
                for scalar in target[1..<(wanted - 1)] {
                    first = composites[UInt64(first) << 32 | UInt64(scalar)] ?? first
                }
                composites[UInt64(first) << 32 | UInt64(target[wanted - 1])] = source
                joiners.insert(target[wanted - 1])
            }
        }
        self.composites = composites
        joiners.formUnion(Hangul.vowels..<Hangul.vowels + Hangul.vowelCount)
        joiners.formUnion(Hangul.trails + 1..<Hangul.trails + Hangul.trailCount)
        self.joiners = joiners
    }

    /// Maps every code point separately, in one call: on separate lines they can't affect each other.
    private static func map(
        _ sources: [UInt32], _ transform: (String) -> String
    ) -> [(source: UInt32, target: [UInt32])] {
        var text = String.UnicodeScalarView()
        for source in sources {
            text.append(Unicode.Scalar(source) ?? "\u{FFFD}")
            text.append("\n")
        }
        let targets = transform(String(text)).unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        return zip(sources, targets).map { ($0, $1.map(\.value)) }
    }

    /// Calls `body` with the code points that `scalar` decomposes into.
    @inline(__always)
    func forEach(of scalar: UInt32, compatibility wide: Bool, _ body: (UInt32) -> Void) {
        let syllable = scalar &- Hangul.syllables
        if syllable < Hangul.syllableCount {
            body(Hangul.leads + syllable / (Hangul.vowelCount * Hangul.trailCount))
            body(Hangul.vowels + syllable / Hangul.trailCount % Hangul.vowelCount)
            if syllable % Hangul.trailCount != 0 { body(Hangul.trails + syllable % Hangul.trailCount) }
            return
        }
        let entry = wide ? compatibility[scalar] : canonical[scalar]
        if entry.length == 0 { return body(scalar) }
        for index in Int(entry.start)..<Int(entry.start) + Int(entry.length) { body(scalars[index]) }
    }

    /// The composite of two code points, if there is one.
    func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        let lead = first &- Hangul.leads
        let vowel = second &- Hangul.vowels
        if lead < Hangul.leadCount, vowel < Hangul.vowelCount {
            return Hangul.syllables + (lead * Hangul.vowelCount + vowel) * Hangul.trailCount
        }
        let syllable = first &- Hangul.syllables
        let trail = second &- Hangul.trails
        if syllable < Hangul.syllableCount, syllable % Hangul.trailCount == 0, trail > 0, trail < Hangul.trailCount {
            return first + trail
        }
        return composites[UInt64(first) << 32 | UInt64(second)]
    }

    /// Whether `scalar` may be composed with the code point before it.
    func joinsBackwards(_ scalar: UInt32) -> Bool { joiners.contains(scalar) }
}
