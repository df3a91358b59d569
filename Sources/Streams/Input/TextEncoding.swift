/// How the text of a source is written as bytes. In UTF-8, GB18030 and Big5, LF, CR and NUL are themselves and never part
/// of another character, so lines are found in the bytes as they come. In UTF-16 each is a pair of bytes: see `CodeUnit`.
public enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    /// GB 18030, which holds GBK and GB 2312.
    case gb18030
    /// Big5 as Windows writes it (code page 950), and where that has nothing or private characters, as Hong Kong's
    /// HKSCS has it.
    case big5
    /// In the byte order that each file's mark says; little-endian where there is none, as Windows writes.
    case utf16 = "utf-16"
    /// The same, said aloud.
    case utf16LittleEndian = "utf-16le"
    /// Big-endian where a file has no mark.
    case utf16BigEndian = "utf-16be"

    public var isUTF16: Bool {
        switch self {
        case .utf8, .gb18030, .big5: false
        case .utf16, .utf16LittleEndian, .utf16BigEndian: true
        }
    }

    /// What a file that begins with `start` is made of.
    public func unit(of start: some Collection<UInt8>) -> CodeUnit {
        guard isUTF16 else { return .byte }
        return CodeUnit(mark: start) ?? (self == .utf16BigEndian ? .bigEndian : .littleEndian)
    }
}
