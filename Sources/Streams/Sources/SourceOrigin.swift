import Bytes
import CFiles
import Glibc

/// The origin of a stretch of a source's bytes: a stream, or one file from some offset on.
public final class SourceOrigin: Sendable {
    public let source: String
    /// The name for reports: the file's path when it was opened.
    public let path: String
    /// nil for a stream, which can't be read again.
    public let file: FileIdentity?
    /// The offset of the first byte, from the file's beginning (of the unpacked content, if it is compressed).
    public let start: UInt64
    /// The number of the line that starts there, from 1.
    public let firstLine: UInt64
    /// The start offsets of lines that an earlier run skipped without an answer; sorted. Other lines that start before
    /// `resumed` have been answered.
    public let unanswered: [UInt64]
    /// The offset that the earlier run had reached; `start` if nothing was skipped.
    public let resumed: UInt64
    /// The number of the line that starts at `resumed`, from 1.
    public let resumedLine: UInt64
    /// The code unit of the text.
    public let unit: CodeUnit
    public let identity: RecordIdentity

    /// `stream` distinguishes the runs of a stream in the ids of its lines; it isn't used if there is a file. With
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

/// The identity of a file: device, inode, and how often that inode is known to have been begun anew (truncated, or
/// reused for other content).
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

extension SourceOrigin {
    /// The origin of everything that one run takes from a stream, which can't be read again. The time in nanoseconds
    /// distinguishes the runs.
    static func stream(source: String, path: String) -> SourceOrigin {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return SourceOrigin(
            source: source, path: path, file: nil,
            stream: UInt64(bitPattern: Int64(now.tv_sec)) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(now.tv_nsec)))
    }
}

/// How far an origin has been answered.
public struct SourcePosition: Sendable {
    public var origin: SourceOrigin
    /// The start of the first line that hasn't been taken up yet, in bytes from the file's beginning.
    public var offset: UInt64
    /// That line's number, from 1.
    public var line: UInt64
    /// Whether the origin's end has been reached: in its present state it yields no more data.
    public var isFinished: Bool
    /// The start offsets of lines before `offset` that still wait for their answer, sorted; empty for ordered sources.
    public var unanswered: [UInt64]

    public init(
        origin: SourceOrigin, offset: UInt64, line: UInt64, isFinished: Bool = false, unanswered: [UInt64] = []
    ) {
        self.origin = origin
        self.offset = offset
        self.line = line
        self.isFinished = isFinished
        self.unanswered = unanswered
    }
}

/// A position that is kept between runs, with the data that identifies the file again.
public struct FileCheckpoint: Sendable, Equatable {
    public var source: String
    /// The file's last known path; it may have been renamed since.
    public var path: String
    public var file: FileIdentity
    public var offset: UInt64
    /// The number of the line that starts at `offset`, from 1.
    public var line: UInt64
    public var isFinished: Bool
    public var unanswered: [UInt64]
    /// A hash of bytes before `offset`: if it differs, the inode holds another file.
    public var mark: UInt64
    /// Size in bytes and time of the last change in nanoseconds when the checkpoint was made: while both are the same,
    /// the file needn't be examined.
    public var size: UInt64
    public var modified: Int64

    public init(
        source: String, path: String, file: FileIdentity, offset: UInt64, line: UInt64, isFinished: Bool,
        unanswered: [UInt64] = [], mark: UInt64, size: UInt64, modified: Int64
    ) {
        self.source = source
        self.path = path
        self.file = file
        self.offset = offset
        self.line = line
        self.isFinished = isFinished
        self.unanswered = unanswered
        self.mark = mark
        self.size = size
        self.modified = modified
    }
}

/// Computes the stable id of a record from its position and its content.
///
/// `id = XXH64(line bytes, seed: XXH64(source name, 0x00, file identity; seed: 0) + byte offset)`, wrapping. The same
/// line at the same place of the same source has the same id in every run, so that a consumer can drop duplicates.
public struct RecordIdentity: Sendable {
    private let seed: UInt64

    /// `file` distinguishes the files of one source (device and inode, or a hash of the first bytes); empty for a
    /// stream.
    public init(source: String, file: [UInt8] = []) {
        let name = Array(source.utf8) + [0] + file
        seed = name.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
    }

    /// `offset` is the start of `line` in the source, in bytes; `line` excludes its line end.
    public func id(offset: UInt64, line: UnsafeBufferPointer<UInt8>) -> UInt64 {
        XXHash64.hash(line, seed: seed &+ offset)
    }
}
