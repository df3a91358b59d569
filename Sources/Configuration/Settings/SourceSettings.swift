/// One source of lines.
public struct SourceSettings: Sendable, Equatable {
    public enum Encoding: String, Sendable, CaseIterable {
        case utf8 = "utf-8"
        case gb18030
        case big5
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
