/// How the text of a source is written as bytes. In each of them LF, CR and NUL are themselves and never part of
/// another character, so lines are found in the bytes as they come.
public enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    /// GB 18030, which holds GBK and GB 2312.
    case gb18030
    /// Big5 as Windows writes it (code page 950), and where that has nothing or private characters, as Hong Kong's
    /// HKSCS has it.
    case big5
}
