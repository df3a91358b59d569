import Streams

/// How the lines of one source are read.
public struct LaneOptions: Sendable {
    /// Names the source in records and ids.
    public var source: String
    public var input: InputForm
    public var encoding: TextEncoding
    public var maximumLineBytes: Int
    /// Whether answers come in the order of the lines. If not, lines that wait for the teacher are overtaken.
    public var isOrdered: Bool

    public init(
        source: String, input: InputForm = .line, encoding: TextEncoding = .utf8,
        maximumLineBytes: Int = LineFramer.defaultMaximumLineBytes,
        isOrdered: Bool = true
    ) {
        self.source = source
        self.input = input
        self.encoding = encoding
        self.maximumLineBytes = maximumLineBytes
        self.isOrdered = isOrdered
    }
}
