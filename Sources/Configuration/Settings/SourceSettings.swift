/// One source of lines.
public struct SourceSettings: Sendable, Equatable {
    public enum Encoding: String, Sendable, CaseIterable {
        case utf8 = "utf-8"
        case gb18030
        case big5
        case utf16 = "utf-16"
        case utf16LittleEndian = "utf-16le"
        case utf16BigEndian = "utf-16be"

        /// Whether lines end in pairs of bytes, which only sources that know the places of their bytes can find.
        var isUTF16: Bool {
            switch self {
            case .utf8, .gb18030, .big5: false
            case .utf16, .utf16LittleEndian, .utf16BigEndian: true
            }
        }
    }

    public enum Kind: Sendable, Equatable {
        /// Standard input; nil: lines aren't written ahead.
        case stdin(SpoolSettings?)
        case fifo(FIFOSettings)
        case directory(DirectorySettings)
    }

    /// Unique among the sources.
    public var name: String
    public var input: InputSettings
    public var encoding: Encoding
    /// Longer lines are refused; without the line end.
    public var maximumLineBytes: Int
    /// Whether answers keep the order of the lines.
    public var ordered: Bool
    public var kind: Kind
}
