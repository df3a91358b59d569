/// The properties of a code point for tokenizers. The values are Hugging Face's (see `UnicodeTables`).
struct UnicodeProperties: Sendable {
    struct Flags: OptionSet, Hashable, Sendable, BitwiseCopyable {
        let rawValue: UInt8

        /// Removed by BERT's text cleaning.
        static let dropped = Flags(rawValue: 1)
        static let whitespace = Flags(rawValue: 2)
        /// Split off by BERT's pre-tokenizer.
        static let punctuation = Flags(rawValue: 4)
        /// General category Mn.
        static let nonspacingMark = Flags(rawValue: 8)
        /// General category M.
        static let combiningMark = Flags(rawValue: 16)
        /// The regular expression `\w`.
        static let word = Flags(rawValue: 32)
        /// In the blocks that BERT surrounds with spaces.
        static let ideograph = Flags(rawValue: 64)
    }

    static let shared = UnicodeProperties()

    /// The CJK blocks of BERT's `_is_chinese_char`. As in Hugging Face's Rust code, there is a gap between U+2B820 and
    /// U+2B91F (the start of extension E); later extensions (F and on) aren't in the list either.
    static let ideographs: [ClosedRange<UInt32>] = [
        0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
        0x2B920...0x2CEAF, 0x2F800...0x2FA1F,
    ]
    static let hangulSyllables: ClosedRange<UInt32> = 0xAC00...0xD7A3

    let flags: CodePointTable<Flags>
    /// Canonical combining classes.
    let combiningClass: CodePointTable<UInt8>
    /// Distance to the lower-case form. Only U+0130 has one of two code points (`i` and U+0307): see `lowercase`.
    private let toLowercase: CodePointTable<Int32>

    private init() {
        var flags = [Flags](repeating: [], count: 0x110000)
        func mark(_ ranges: [ClosedRange<UInt32>], _ flag: Flags) {
            for range in ranges { for scalar in range { flags[Int(scalar)].formUnion(flag) } }
        }
        mark(UnicodeTableReader.ranges(UnicodeTables.droppedByBert), .dropped)
        mark(UnicodeTableReader.ranges(UnicodeTables.whitespace), .whitespace)
        mark(UnicodeTableReader.ranges(UnicodeTables.punctuation), .punctuation)
        mark(UnicodeTableReader.ranges(UnicodeTables.nonspacingMarks), .nonspacingMark)
        mark(UnicodeTableReader.ranges(UnicodeTables.combiningMarks), .combiningMark)
        mark(UnicodeTableReader.ranges(UnicodeTables.wordCharacters), .word)
        mark(Self.ideographs, .ideograph)
        self.flags = CodePointTable(flags)

        var classes = [UInt8](repeating: 0, count: 0x110000)
        for run in UnicodeTableReader.runs(UnicodeTables.combiningClasses, extras: 1) {
            for scalar in run.range { classes[Int(scalar)] = UInt8(truncatingIfNeeded: run.extras[0]) }
        }
        combiningClass = CodePointTable(classes)

        var distances = [Int32](repeating: 0, count: 0x110000)
        for (scalar, distance) in Self.lowercaseDistances() { distances[Int(scalar)] = distance }
        toLowercase = CodePointTable(distances)
    }

    private static func lowercaseDistances() -> [(scalar: UInt32, distance: Int32)] {
        var distances: [(UInt32, Int32)] = []
        for run in UnicodeTableReader.runs(UnicodeTables.lowercase, extras: 2, stepped: true) {
            let zigzag = run.extras[1]
            let distance = zigzag & 1 == 0 ? Int32(zigzag / 2) : -Int32((zigzag + 1) / 2)
            for scalar in stride(from: run.range.lowerBound, through: run.range.upperBound, by: Int(run.extras[0])) {
                distances.append((scalar, distance))
            }
        }
        return distances
    }

    /// Code points that have a lower-case form.
    static var uppercase: [ClosedRange<UInt32>] {
        lowercaseDistances().map { $0.scalar...$0.scalar } + [0x130...0x130]
    }

    /// The lower-case form as one code point (for U+0130 the `i`, without its dot).
    @inline(__always)
    func simpleLowercase(_ scalar: UInt32) -> UInt32 {
        scalar == 0x130 ? 0x69 : UInt32(bitPattern: Int32(bitPattern: scalar) &+ toLowercase[scalar])
    }

    /// Appends the lower-case form, as in Rust's `char::to_lowercase` (without context: final sigma isn't special).
    @inline(__always)
    func appendLowercase(_ scalar: UInt32, to text: inout GrowableBuffer<UInt8>) {
        text.append(scalar: simpleLowercase(scalar))
        if scalar == 0x130 { text.append(scalar: 0x307) }
    }
}
