/// How long an output file is whose bytes are all accounted for, and how to know the file again.
public struct SinkLength: Sendable, Equatable {
    public var sink: String
    public var path: String
    public var device: UInt64
    public var inode: UInt64
    /// Bytes. What a run that didn't end well has appended behind them will be answered again.
    public var length: UInt64
    /// When the file was made, in nanoseconds since 1970; 0 where that isn't known.
    public var born: Int64
    /// `FileMark.hash` of the bytes before `length`, with the seed 0 so that a copy of the file is known as well; 0 where
    /// it isn't known: the row is of a release that kept none, or the file can't be read.
    public var mark: UInt64
    /// Whether the run that wrote this ended with nothing uncommitted: what is behind `length` isn't from the daemon.
    public var isSettled: Bool

    public init(
        sink: String, path: String, device: UInt64, inode: UInt64, length: UInt64, born: Int64 = 0, mark: UInt64 = 0,
        isSettled: Bool = false
    ) {
        self.sink = sink
        self.path = path
        self.device = device
        self.inode = inode
        self.length = length
        self.born = born
        self.mark = mark
        self.isSettled = isSettled
    }
}
