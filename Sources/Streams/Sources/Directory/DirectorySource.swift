import Diagnostics
import Glibc

/// A directory whose files are read: each once when it is complete, or followed as they grow.
///
/// - Writers write under a name that isn't accepted (`.a.txt`, `a.txt.tmp`) and rename, or write and close.
/// - A file is identified by device, inode and the bytes before the offset, never by its name: a renamed file continues
///   at its offset, and a file that was truncated, or whose inode was reused, is a new file.
/// - Log rotation may rename, delete, or copy and truncate files; the names of copies must not be accepted, or the
///   copies are read as well.
/// - Symbolic links to files are followed, wherever they lead; the file is their target. Names with a leading dot,
///   links to directories, and (unless `recursive`) directories are skipped.
/// - gzip and zstd files are unpacked in `mode: files`; in `mode: tail` they are skipped, since there they are log
///   rotation's copies of lines already read.
/// - Only symbolic links are polled as long as inotify(7) works; otherwise the directory is polled.
/// - A failed system call says nothing about a file: it is repeated after a pause, and no state is dropped.
///
/// `@unchecked Sendable`: `reader` is used by the one thread that reads; everything else never changes or is locked.
public final class DirectorySource: StreamSource, @unchecked Sendable {
    public let name: String
    let settings: Settings
    let ledger: Monitor<FileLedger>
    let report: @Sendable (UnderstudyError) -> Void
    let calls: DirectoryCalls
    private let reader: DirectoryReader
    private let wakeWrite: Int32

    /// `checkpoints` are this source's stored checkpoints; `report` is called with problems of one file and temporary
    /// problems, from the reader's and the committer's threads.
    ///
    /// Errors: `missingInput` if the directory doesn't exist or can't be read, `configuration` if files are to be moved
    /// into the directory itself.
    public convenience init(
        _ settings: Settings, checkpoints: [FileCheckpoint], report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        try self.init(
            settings, checkpoints: checkpoints, limits: DirectoryLimits(), calls: DirectoryCalls(), report: report)
    }

    package init(
        _ settings: Settings, checkpoints: [FileCheckpoint], limits: DirectoryLimits, calls: DirectoryCalls,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw UnderstudyError(.tryAgain, "can't create a pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let settings = settings.withPlainPaths
        name = settings.name
        self.settings = settings
        self.report = report
        self.calls = calls
        ledger = Monitor(FileLedger(heldLimit: limits.heldFiles))
        wakeWrite = ends[1]
        reader = DirectoryReader(
            settings, checkpoints: checkpoints, limits: limits, calls: calls, wake: ends[0], ledger: ledger,
            report: report)
        try reader.begin()
    }

    deinit { close(wakeWrite) }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        while true {
            if let event = reader.next(into: room) { return event }
            reader.wait()
        }
    }

    /// As `read`, but returns nil instead of waiting. For tests.
    package func probe(into room: UnsafeMutableRawBufferPointer) -> SourceEvent? {
        reader.next(into: room)
    }

    /// Whether a failed operation awaits its retry. For tests, from the reader's thread.
    package var isRetrying: Bool { reader.isRetrying }

    public func interrupt() {
        ledger.withLock { $0.isInterrupted = true }
        wakeReader()
    }

    func wakeReader() {
        var byte: UInt8 = 1
        // If the pipe is full, the reader has been woken already, so the result doesn't matter.
        _ = write(wakeWrite, &byte, 1)
    }
}

extension DirectorySource {
    /// The configuration of a directory source.
    public struct Settings: Sendable, Equatable {
        public enum Mode: String, Sendable, CaseIterable {
            /// Each file is read once, when it is complete.
            case files
            /// Growing files are followed.
            case tail
        }

        /// The handling of a file once every line of it is answered; only for `files`.
        public enum After: Sendable, Equatable {
            case keep
            /// Moves it into this directory, under its path relative to the watched one, with a number appended if that
            /// name exists.
            case move(to: String)
            case delete
        }

        /// Where files that exist at a source's very first start begin; only for `tail`. In a file of more than 256 MiB
        /// that begins at its end, the lines are numbered from there.
        public enum Start: String, Sendable, CaseIterable {
            case beginning, end
        }

        public var name: String
        public var path: String
        public var mode: Mode
        /// Glob patterns (fnmatch(3)) on the path relative to `path`; an empty `include` accepts every name.
        public var include: [String]
        public var exclude: [String]
        public var recursive: Bool
        public var after: After
        public var start: Start
        /// The poll interval of the directory while inotify doesn't work.
        public var pollSeconds: Double
        /// Maximum line length in bytes; the framer enforces it, and the search for the last line end goes back no
        /// further.
        public var maximumLineBytes: Int
        /// Needed for line ends and each file's byte order in UTF-16; other encodings make no difference here.
        public var encoding: TextEncoding

        public init(
            name: String, path: String, mode: Mode = .files, include: [String] = [], exclude: [String] = [],
            recursive: Bool = false, after: After = .keep, start: Start = .beginning, pollSeconds: Double = 2,
            maximumLineBytes: Int = LineFramer.defaultMaximumLineBytes, encoding: TextEncoding = .utf8
        ) {
            self.name = name
            self.path = path
            self.mode = mode
            self.include = include
            self.exclude = exclude
            self.recursive = recursive
            self.after = after
            self.start = start
            self.pollSeconds = pollSeconds
            self.maximumLineBytes = maximumLineBytes
            self.encoding = encoding
        }

        var pollNanoseconds: UInt64 { UInt64(max(0.001, pollSeconds) * 1e9) }

        /// A copy without slashes at the ends of paths, and with `after` reset for followed files.
        var withPlainPaths: Settings {
            var plain = self
            plain.path = Self.plain(path)
            if case .move(let directory) = after { plain.after = .move(to: Self.plain(directory)) }
            if mode == .tail { plain.after = .keep }
            return plain
        }

        private static func plain(_ path: String) -> String {
            var end = path.endIndex
            while end > path.startIndex, path[path.index(before: end)] == "/" { end = path.index(before: end) }
            return end == path.startIndex && !path.isEmpty ? "/" : String(path[..<end])
        }
    }
}

/// Limits of a directory source; tests set them.
package struct DirectoryLimits: Sendable {
    /// Maximum number of descriptors kept open for files that still grow or wait for their answers.
    package var heldFiles: Int
    /// How long a file that may still have a writer must not grow before its last line is accepted without an LF:
    /// longer than log rotation takes to notify a writer.
    package var settleNanoseconds: UInt64

    /// The pause before a failed operation is retried: doubled with every failure, up to 64 times as long.
    package var retryNanoseconds: UInt64

    /// The first pause before moving or deleting a file is retried; doubled likewise.
    package var disposalNanoseconds: UInt64

    package init(
        heldFiles: Int = 256, settleNanoseconds: UInt64 = 5_000_000_000, retryNanoseconds: UInt64 = 100_000_000,
        disposalNanoseconds: UInt64 = 5_000_000_000
    ) {
        self.disposalNanoseconds = disposalNanoseconds
        self.heldFiles = heldFiles
        self.settleNanoseconds = settleNanoseconds
        self.retryNanoseconds = retryNanoseconds
    }

    /// The pause after this many consecutive failures, the first of them counted as 1.
    package func pause(after failures: Int) -> UInt64 { Self.doubled(retryNanoseconds, failures) }

    /// The same for moving and deleting.
    func disposalPause(after failures: Int) -> UInt64 { Self.doubled(disposalNanoseconds, failures) }

    private static func doubled(_ pause: UInt64, _ failures: Int) -> UInt64 {
        pause << UInt64(min(max(failures, 1) - 1, 6))
    }
}

/// The committer's side.
extension DirectorySource {
    /// Maximum number of consecutive failures of a checkpoint before the commit continues without it: with the
    /// committer's pauses, more than a minute.
    private static let mostFailures = 20

    public func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint? {
        guard let file = position.origin.file, let entry = ledger.withLock({ $0.entries[file] }) else { return nil }
        var position = position
        if position.offset < entry.resumed {
            // The earlier run had got further; lines that it skipped and that aren't answered yet remain unanswered.
            let open = position.origin.unanswered.drop { $0 < position.offset }
            position.unanswered = Set(position.unanswered).union(open).sorted()
            position.offset = entry.resumed
            position.line = entry.resumedLine
        }
        let isAtEnd = position.offset == entry.offset
        let found: UInt64?
        do throws(CannotTell) {
            found = entry.isArchive || isAtEnd ? entry.mark : try mark(before: position.offset, of: entry)
            if entry.failures > 0 { ledger.withLock { $0.update(file) { $0.failures = 0 } } }
        } catch {
            // Without its checkpoint the file would be answered again after a crash, so the commit waits for it; but
            // one file that can't be read any more must not block all others forever.
            ledger.withLock { $0.update(file) { $0.failures += 1 } }
            let failure = UnderstudyError(
                .inputOutput, "the file can't be read, so its position can't be saved: \(error.reason)",
                at: position.origin.path)
            guard entry.failures >= Self.mostFailures else { throw failure }
            report(failure)
            return nil
        }
        guard let mark = found else { return nil }
        return FileCheckpoint(
            source: name, path: settings.mode == .tail ? entry.followedAs : entry.path ?? position.origin.path,
            file: file, offset: position.offset, line: position.line,
            // If the file has grown, its former end is no longer the end.
            isFinished: position.isFinished && entry.isFinished && isAtEnd, unanswered: position.unanswered,
            mark: mark, size: entry.size, modified: entry.modified)
    }

    public func committed(_ position: SourcePosition) {
        guard let file = position.origin.file else { return }
        ledger.withLock { $0.release(file) }
        guard position.isFinished, position.unanswered.isEmpty else { return }
        let entry = ledger.withLock { ledger -> FileLedger.Entry? in
            guard let entry = ledger.entries[file], entry.isFinished, position.offset == entry.offset else {
                return nil
            }
            ledger.markCommitted(file)
            return entry.isGone ? nil : entry
        }
        guard let entry, let path = entry.path else { return }
        switch FileDisposal(settings, calls).clear(path, node: entry.node, size: entry.size, report: report) {
        case .cleared: ledger.withLock { $0.forget(file) }
        case .kept: break
        case .failed:
            // The reader tries again.
            ledger.withLock { $0.noteUndisposed(file) }
            wakeReader()
        }
    }

    /// A file's removal must reach the disk before that of its checkpoint: otherwise a power loss restores a file
    /// without a checkpoint, and it is answered again. So the directories are synced first.
    public func takeForgotten() -> [FileIdentity] {
        let (files, directories) = ledger.withLock { $0.takeForgotten() }
        guard !files.isEmpty else { return [] }
        for directory in directories.union([settings.path]) {
            switch calls.synchronise(directory) {
            // The directory no longer exists, or its file system or permissions don't allow a sync.
            case 0, ENOENT, ENOTDIR, EINVAL, EROFS, EACCES, EPERM: continue
            default:
                // The next commit retries.
                ledger.withLock { $0.putBack(files, directories) }
                return []
            }
        }
        return files
    }

    /// The mark at an earlier offset than the one read up to; nil if the file no longer exists.
    private func mark(before offset: UInt64, of entry: FileLedger.Entry) throws(CannotTell) -> UInt64? {
        var held = entry.open
        if held == nil { held = try reopen(entry) }
        guard let open = held, let earlier = try FileMark(open, upTo: offset)?.hash(born: entry.born) else {
            return nil
        }
        // If the file has been begun anew since, later runs must not mistake its new content for the old.
        let isSame = try FileMark(open, upTo: entry.offset)?.matches(entry.mark, born: entry.born) ?? false
        return isSame ? earlier : ~earlier
    }

    private func reopen(_ entry: FileLedger.Entry) throws(CannotTell) -> OpenFile? {
        guard let path = entry.path else { return nil }
        let descriptor = calls.open(path)
        guard descriptor >= 0 else {
            switch errno {
            // The permission was revoked: the file is treated as deleted until it is restored.
            case ENOENT, ENOTDIR, ELOOP, EACCES, EPERM: return nil
            case let number: throw CannotTell(number: number)
            }
        }
        let file = OpenFile(descriptor, calls)
        let status = try FileStatus(file)
        return status.node == entry.node && status.born == entry.born ? file : nil
    }
}
