/// Simple folding of code points for the student's input: one to one, without context.
///
/// Full-width forms (U+FF01 … U+FF5E) become ASCII, letters lower-case, white space is dropped.
public struct CharacterFolding: Sendable {
    public let foldsWidth: Bool
    public let lowercases: Bool

    /// Stands for white space in `table`.
    static let dropped = UInt32.max

    /// The folded form of every code point, or `dropped`.
    let table: CodePointTable<UInt32>

    public init(foldsWidth: Bool = true, lowercases: Bool = true) {
        self.foldsWidth = foldsWidth
        self.lowercases = lowercases
        let properties = UnicodeProperties.shared
        table = CodePointTable(
            (UInt32(0)..<0x110000).map { scalar in
                if properties.flags[scalar].contains(.whitespace) { return Self.dropped }
                var folded = scalar
                if foldsWidth, (0xFF01...0xFF5E).contains(folded) { folded -= 0xFEE0 }
                return lowercases ? properties.simpleLowercase(folded) : folded
            })
    }

    /// The folded form of a code point, or nil if it is dropped.
    public func fold(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        let folded = table[scalar.value]
        return folded == Self.dropped ? nil : Unicode.Scalar(folded)
    }
}
