/// Where a stretch of a source's bytes comes from: a stream, or one file from some offset on.
public final class SourceOrigin: Sendable {
    public let source: String
    /// How people are told of it: the file's path when it was opened.
    public let path: String
    /// nil for a stream that can't be read again.
    public let file: FileIdentity?
    /// Where the first byte stands, in bytes from the file's beginning (of what it unpacks to, if it is compressed).
    public let start: UInt64
    /// The number of the line that starts there, from 1.
    public let firstLine: UInt64
    /// Where the lines start that an earlier run had passed over without an answer; sorted. Lines that start before
    /// `resumed` and aren't among them have been answered.
    public let unanswered: [UInt64]
    /// Where the earlier run had got to; `start` if nothing was passed over.
    public let resumed: UInt64
    /// The number of the line that starts at `resumed`, from 1.
    public let resumedLine: UInt64
    /// What the text is made of.
    public let unit: CodeUnit
    public let identity: RecordIdentity

    /// `stream` tells the runs of a stream apart in the ids of its lines; it isn't used where there is a file. With
    /// neither, the same line at the same place of the stream has the same id in every run.
    public init(
        source: String, path: String, file: FileIdentity?, start: UInt64 = 0, firstLine: UInt64 = 1,
        unanswered: [UInt64] = [], resumed: UInt64? = nil, resumedLine: UInt64? = nil,
        unit: CodeUnit = .byte, stream: UInt64? = nil
    ) {
        self.source = source
        self.path = path
        self.file = file
        self.start = start
        self.firstLine = firstLine
        self.unanswered = unanswered
        self.resumed = resumed ?? start
        self.unit = unit
        self.resumedLine = resumedLine ?? firstLine
        let run = stream.map { number in withUnsafeBytes(of: number.littleEndian, Array.init) }
        identity = RecordIdentity(source: source, file: file?.bytes ?? run ?? [])
    }
}

/// Which file of a file system: device, inode, and how often that inode has been begun anew (truncated, or used again
/// for other content) as far as is known.
public struct FileIdentity: Sendable, Hashable {
    public var device: UInt64
    public var inode: UInt64
    public var generation: UInt64

    public init(device: UInt64, inode: UInt64, generation: UInt64 = 0) {
        self.device = device
        self.inode = inode
        self.generation = generation
    }

    /// 24 bytes, little-endian: the `file` of record ids.
    public var bytes: [UInt8] {
        [device, inode, generation].flatMap { number in withUnsafeBytes(of: number.littleEndian, Array.init) }
    }
}
