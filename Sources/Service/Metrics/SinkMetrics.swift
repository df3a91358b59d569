/// What a sink did since it last said so.
public struct SinkMetrics: Sendable, Equatable {
    public var records: Int
    public var bytes: Int
    /// Records that a full sink was told to drop.
    public var dropped: Int

    public init(records: Int = 0, bytes: Int = 0, dropped: Int = 0) {
        self.records = records
        self.bytes = bytes
        self.dropped = dropped
    }
}
