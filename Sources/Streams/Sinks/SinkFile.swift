import CFiles
import Diagnostics
import Glibc

/// One open output file whose exact length is known.
///
/// Appends, cuts and reads of the position are made by one thread at a time; `synchronise` may run concurrently. The
/// process must ignore SIGXFSZ, or a file size limit ends it.
///
/// Other programs may append to the file and truncate it. O_APPEND puts each append behind the present end, and the
/// descriptor's offset afterwards tells where that was, so the daemon's own bytes are always known; no other bytes are
/// cut. The remaining race is the moment between reading the size and a cut.
public final class SinkFile: Sendable {
    /// The end of a file, and the data that identifies the file again.
    public struct Position: Sendable {
        public var length: UInt64
        /// As in `SinkLength`.
        public var mark: UInt64
        /// The file no longer has a name: other programs can't read what is written to it.
        public var isDeleted: Bool
    }

    public let sink: String
    /// The file's path when it was opened; it may have been renamed since.
    public let path: String
    public let device: UInt64
    public let inode: UInt64
    /// The file's creation time, in nanoseconds since 1970; 0 if unknown.
    public let born: Int64
    private let descriptor: Int32
    private let calls: SinkCalls
    private let syncs: Bool
    private let content: Monitor<SinkFileContent>

    /// Takes ownership of `descriptor`, which was opened for appending.
    init(
        sink: String, path: String, descriptor: Int32, status: understudy_status, syncs: Bool, keeping: SinkKeeping,
        calls: SinkCalls, report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.sink = sink
        self.path = path
        device = status.device
        inode = status.inode
        born = status.born
        self.descriptor = descriptor
        self.syncs = syncs
        self.calls = calls
        let file = SinkFileContent.Handle(
            sink: sink, path: path, device: status.device, inode: status.inode, descriptor: descriptor,
            keeping: keeping, calls: calls, report: report)
        content = Monitor(SinkFileContent(file, size: status.size))
    }

    deinit {
        // This is the last opportunity: a file that is opened later takes its size as its length.
        _ = content.withLock { $0.finishCut() }
        FileLock.release(closing: descriptor)
    }

    /// The number of bytes in the file that are accounted for.
    ///
    /// It shrinks when another program truncates the file (logrotate's `copytruncate`); that is checked once after each
    /// `synchronise`.
    public var length: UInt64 {
        content.withLock { content in
            content.look()
            return content.length
        }
    }

    /// Reads the file's present state.
    public var position: Position { content.withLock { $0.position() } }

    /// Whether `synchronise` will always fail.
    public var hasFailed: Bool { content.withLock { $0.failure != nil } }

    /// Whether removed bytes are still in the file, after one more attempt to cut them off.
    var isUncut: Bool { content.withLock { $0.finishCut() != nil } }

    /// Whether a check since the last `synchronise` has found the file without a name.
    var isDeleted: Bool { content.withLock { $0.isDeleted } }

    /// Notes that everything up to `length` is committed.
    public func committed(_ length: UInt64) { content.withLock { $0.noteCommitted(length) } }

    /// Appends all of `bytes`, whole records, or nothing: after an error the file is as long as before. If another
    /// program has left the file without a newline at its end, one is written first.
    ///
    /// Errors: `inputOutput`; `noSpace`, after which a later append may succeed.
    public func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        guard bytes.count > 0 else { return }
        if let number = content.withLock({ $0.append(bytes) }) { throw Self.failure("written to", number, path) }
    }

    /// Takes back the bytes behind `length`, which was read before they were appended. Never makes the file longer.
    ///
    /// Errors: `inputOutput`. Even then the length is the given one: the bytes left behind it are cut off before the
    /// next append.
    public func cut(to length: UInt64) throws(UnderstudyError) {
        if let number = content.withLock({ $0.cut(to: length) }) { throw Self.failure("truncated", number, path) }
    }

    /// Returns when all bytes appended so far are on the disk; at once for a sink that doesn't synchronise.
    ///
    /// Errors: `noSpace`: the next call writes the data again, so it may succeed. `inputOutput`: all later calls fail
    /// too, since Linux discards data that it couldn't write, so that the next attempt would seem to succeed. A
    /// restart, which cuts the file back to its committed length, repairs that.
    public func synchronise() throws(UnderstudyError) {
        if syncs {
            if let failure = content.withLock({ $0.prepareSync() }) { throw failure }
            var number: Int32
            repeat { number = calls.synchronise(descriptor) } while number == EINTR
            if number != 0 { throw content.withLock { $0.noteFailedSync(number) } }
        }
        content.withLock { $0.expectChanges() }
    }

    /// Appends the uncommitted bytes to `other`; none of them after an error. Returns the number of bytes.
    ///
    /// Errors: those of `append`; `inputOutput` if the bytes can't be read.
    func copyUncommitted(to other: SinkFile) throws(UnderstudyError) -> Int {
        let pieces = content.withLock { $0.uncommitted() }
        let before = other.length
        var count = 0
        do throws(UnderstudyError) {
            for piece in pieces {
                guard let piece else {
                    throw UnderstudyError(
                        .inputOutput, "the file was deleted, and its uncommitted bytes can't be read", at: path)
                }
                try piece.withUnsafeBufferPointer { bytes throws(UnderstudyError) in try other.append(bytes) }
                count += piece.count
            }
        } catch {
            try? other.cut(to: before)
            throw error
        }
        return count
    }

    /// An error that says that the file can't be `what`.
    static func failure(_ what: String, _ number: Int32, _ path: String) -> UnderstudyError {
        let space = "the file can't be \(what): no space left"
        return switch number {
        case ENOSPC: UnderstudyError(.noSpace, "\(space) on its device", at: path)
        case EDQUOT: UnderstudyError(.noSpace, "\(space) in its owner's disk quota", at: path)
        case EFBIG: UnderstudyError(.noSpace, "\(space) within the file size limit (ulimit -f)", at: path)
        default:
            UnderstudyError(.inputOutput, "the file can't be \(what): \(String(cString: strerror(number)))", at: path)
        }
    }
}

/// The length of an output file whose bytes are all accounted for, and the data that identifies the file again.
public struct SinkLength: Sendable, Equatable {
    public var sink: String
    public var path: String
    public var device: UInt64
    public var inode: UInt64
    /// In bytes. Lines that an unclean run has appended behind it will be answered again.
    public var length: UInt64
    /// The file's creation time, in nanoseconds since 1970; 0 if unknown.
    public var born: Int64
    /// `FileMark.hash` of the bytes before `length`, with the seed 0 so that a copy of the file is recognised as well;
    /// 0 if unknown: the row is of a release that kept none, or the file can't be read.
    public var mark: UInt64
    /// Whether the run that wrote this left nothing uncommitted: bytes behind `length` aren't from the daemon.
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
