import Diagnostics
import Glibc

/// A directory whose files are read: each once when it is whole, or followed as they grow.
///
/// - Writers write under a name that isn't taken (`.a.txt`, `a.txt.tmp`) and rename, or write and close.
/// - A file is known by device, inode and the bytes before the offset, never by its name: a renamed file goes on where
///   it was, and one that was emptied, or whose inode was given to another, is a new file.
/// - Log rotation may rename files, delete them, or copy and truncate them; the names that it copies to must not be
///   taken, or the copies are read as well.
/// - Symbolic links to files are followed, wherever they lead; the file is the one that they lead to. Names with a
///   leading dot, links to directories, and directories unless `recursive`, are passed over.
/// - gzip and zstd files are unpacked in `mode: files`; where growing files are followed they are passed over, since
///   there they are copies that a log rotation made of lines already read.
/// - Nothing but symbolic links is polled as long as inotify(7) can watch; where it can't, the directory is looked at
///   now and then.
/// - A system call that fails says nothing of a file: it is made again after a pause, and nothing is forgotten.
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

    /// `checkpoints` are those that were kept for this source; `report` is told of what is wrong with one file or for
    /// a while, from the reader's and the committer's threads.
    ///
    /// Errors: `missingInput` where the directory isn't there or can't be read, `configuration` where files are to be
    /// moved into the directory itself.
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
            throw UnderstudyError(.tryAgain, "can't make a pipe: \(String(cString: strerror(errno)))")
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
            settings, limits: limits, calls: calls, wake: ends[0], ledger: ledger, report: report)
        try reader.begin(checkpoints)
    }

    deinit { close(wakeWrite) }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        while true {
            if let event = reader.next(into: room) { return event }
            reader.wait()
        }
    }

    /// As `read`, but nil where that would wait. For tests.
    package func probe(into room: UnsafeMutableRawBufferPointer) -> SourceEvent? {
        reader.next(into: room)
    }

    /// Whether something failed and is tried again now. For tests, from the reader's thread.
    package var isRetrying: Bool { reader.isRetrying }

    public func interrupt() {
        ledger.withLock { $0.isInterrupted = true }
        wakeReader()
    }

    func wakeReader() {
        var byte: UInt8 = 1
        // A full pipe has woken the reader already, so the outcome doesn't matter.
        _ = write(wakeWrite, &byte, 1)
    }
}
