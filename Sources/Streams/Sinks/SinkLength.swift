/// How long an output file is whose bytes are all accounted for, and how to know the file again.
public struct SinkLength: Sendable, Equatable {
    public var sink: String
    public var path: String
    public var device: UInt64
    public var inode: UInt64
    /// Bytes. What stands behind them was written by a run that died before it committed, and is cut off.
    public var length: UInt64

    public init(sink: String, path: String, device: UInt64, inode: UInt64, length: UInt64) {
        self.sink = sink
        self.path = path
        self.device = device
        self.inode = inode
        self.length = length
    }
}
