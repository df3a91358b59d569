import Streams

/// How the lines of one source are read.
public struct LaneOptions: Sendable {
    /// Names the source in records and ids.
    public var source: String
    public var input: InputForm
    public var maximumLineBytes: Int
    /// Whether answers come in the order of the lines. If not, lines that wait for the teacher are overtaken.
    public var isOrdered: Bool

    public init(
        source: String, input: InputForm = .line, maximumLineBytes: Int = LineFramer.defaultMaximumLineBytes,
        isOrdered: Bool = true
    ) {
        self.source = source
        self.input = input
        self.maximumLineBytes = maximumLineBytes
        self.isOrdered = isOrdered
    }
}
