import CFiles
import Diagnostics
import Glibc

/// A stream that is written to segment files first, so that the bytes read from it survive the process.
///
/// A thread takes bytes from the inner source and appends them to `<spool>/<source>/<sequence>.seg`; the lane reads the
/// segments, each of which is an origin of its own (device 0, the sequence number as inode). A segment whose lines have
/// all been answered is deleted. A later run continues in the oldest segment at its checkpoint. A kill loses no bytes
/// taken from a pipe, since the page cache keeps them; a power loss loses what the kernel hadn't written yet.
///
/// `@unchecked Sendable`: `current` and `nextSequence` are used by the one thread that reads; the rest never changes.
public final class SpooledSource: StreamSource, @unchecked Sendable {
    /// Default segment size in bytes: large enough that deletions are rare, small enough that an answered segment
    /// doesn't hold much space.
    public static let defaultSegmentBytes: UInt64 = 16 << 20

    /// Pauses between attempts of a failing read, in nanoseconds: doubled from the first to the last.
    private static let firstRetry: UInt64 = 50_000_000
    private static let lastRetry: UInt64 = 5_000_000_000

    public let name: String
    private let directory: SpoolDirectory
    private let writer: SpoolWriter
    private let thread: WorkerThread
    private let report: @Sendable (UnderstudyError) -> Void
    private let origins: [UInt64: SourceOrigin]
    private var nextSequence: UInt64 = 0
    /// The last segment that was reported as unreadable.
    private var reportedSequence: UInt64?
    private var current: Current?

    private struct Current {
        var sequence: UInt64
        var descriptor: Int32
        var offset: UInt64
    }

    /// Starts at once to take bytes from `inner`; the source has the inner source's name.
    ///
    /// `spool` is the directory of all spools (`<state>/spool`), created if it is missing. While the segments hold
    /// `maximumBytes`, nothing is taken. `checkpoints` are those of the last run; those of other sources are ignored.
    /// `report` is called with problems that don't end the source: damaged segments, a full disk.
    ///
    /// Errors: `cannotCreate`, `missingInput`, `tryAgain`.
    public convenience init(
        _ inner: any StreamSource, spool: String, maximumBytes: UInt64,
        segmentBytes: UInt64 = SpooledSource.defaultSegmentBytes, checkpoints: [FileCheckpoint],
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        try self.init(
            inner, spool: spool, maximumBytes: maximumBytes, segmentBytes: segmentBytes, checkpoints: checkpoints,
            disk: SpoolDisk(), report: report)
    }

    package init(
        _ inner: any StreamSource, spool: String, maximumBytes: UInt64, segmentBytes: UInt64,
        checkpoints: [FileCheckpoint], disk: SpoolDisk, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        name = inner.name
        self.report = report
        directory = try SpoolDirectory(under: spool, source: inner.name)
        let recovery = try SpoolRecovery(directory, source: inner.name, checkpoints: checkpoints, report: report)
        origins = recovery.origins
        let writer = try SpoolWriter(
            inner, directory: directory, recovery: recovery, maximumBytes: maximumBytes, segmentBytes: segmentBytes,
            disk: disk, report: report)
        self.writer = writer
        thread = try WorkerThread(name: "spool \(inner.name)") { writer.run() }
    }

    deinit {
        writer.interrupt()
        thread.join()
        if let current { close(current.descriptor) }
    }

    public func interrupt() { writer.interrupt() }

    // MARK: The lane's reader

    private enum Step {
        case open(sequence: UInt64)
        case take(upTo: UInt64)
        case finished
        case end
        case failed(UnderstudyError)
        case stopped
    }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        switch nextStep() {
        case .stopped: return .stopped
        case .end: return .end
        case .failed(let error): throw error
        case .open(let sequence): return .opened(try open(sequence))
        case .take(let end): return try take(upTo: end, into: room).map { .bytes($0) } ?? .stopped
        case .finished:
            if let current { close(current.descriptor) }
            current = nil
            return .finished
        }
    }

    /// Waits for the next step.
    private func nextStep() -> Step {
        let (current, nextSequence) = (current, nextSequence)
        return writer.monitor.wait(on: 0) { state in
            if state.isInterrupted { return .stopped }
            if let current, let segment = state.segments.first(where: { $0.sequence == current.sequence }) {
                if segment.length > current.offset { return .take(upTo: segment.length) }
                if segment.isSealed { return .finished }
            } else if current == nil, let next = state.segments.first(where: { $0.sequence >= nextSequence }) {
                return .open(sequence: next.sequence)
            }
            switch state.inner {
            case .running: return nil
            case .ended: return .end
            case .failed(let error): return .failed(error)
            }
        }
    }

    private func open(_ sequence: UInt64) throws(UnderstudyError) -> SourceOrigin {
        let path = directory.segmentPath(sequence)
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(sequence, errno) }
        let origin =
            origins[sequence] ?? SourceOrigin(source: name, path: path, file: SpoolState.identity(sequence))
        current = Current(sequence: sequence, descriptor: descriptor, offset: origin.start)
        nextSequence = sequence + 1
        return origin
    }

    /// nil once interrupted. A failing read is repeated after a pause: its bytes are kept in the segment, and nothing
    /// behind them may be answered before.
    private func take(upTo end: UInt64, into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> Int? {
        guard let current else { return 0 }
        let most = Int(min(UInt64(room.count), end - current.offset))
        var pause = Self.firstRetry
        while true {
            let count = pread(current.descriptor, room.baseAddress, most, off_t(current.offset))
            if count > 0 {
                self.current?.offset += UInt64(count)
                return count
            }
            if count == 0 {
                throw UnderstudyError(
                    .inputOutput, "the spool's segment was truncated by another program",
                    at: directory.segmentPath(current.sequence))
            }
            let number = errno
            if number == EINTR { continue }
            if reportedSequence != current.sequence { report(unreadable(current.sequence, number)) }
            reportedSequence = current.sequence
            let isOver: Bool? = writer.monitor.wait(on: 0, until: Monotonic.nanoseconds &+ pause) { state in
                state.isInterrupted ? true : nil
            }
            if isOver == true { return nil }
            pause = min(2 * pause, Self.lastRetry)
        }
    }

    private func unreadable(_ sequence: UInt64, _ number: Int32) -> UnderstudyError {
        UnderstudyError(
            .inputOutput, "the spool's segment can't be read: \(String(cString: strerror(number)))",
            at: directory.segmentPath(sequence))
    }

    // MARK: The committer

    public func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint? {
        guard let file = position.origin.file else { return nil }
        let path = directory.segmentPath(file.inode)
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            let number = errno
            // It has been deleted: there is nothing to continue in.
            guard descriptor < 0, number == ENOENT else { throw unreadable(file.inode, number) }
            report(unreadable(file.inode, number))
            return nil
        }
        let found: UInt64?
        do throws(CannotTell) {
            found = try SpoolDirectory.mark(descriptor, before: position.offset)
        } catch {
            throw unreadable(file.inode, error.number)
        }
        guard let mark = found else {
            report(unreadable(file.inode, EIO))
            return nil
        }
        return FileCheckpoint(
            source: name, path: path, file: file, offset: position.offset, line: position.line,
            isFinished: position.isFinished, unanswered: position.unanswered, mark: mark,
            size: UInt64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec))
    }

    public func committed(_ position: SourcePosition) {
        guard let file = position.origin.file, position.isFinished, position.unanswered.isEmpty else { return }
        // The newest segment stays, so that its number isn't reused; the next run deletes it.
        let isDone = writer.monitor.withLock { state in
            guard state.segments.count > 1, state.segments.last?.sequence != file.inode else { return false }
            state.segments.removeAll { $0.sequence == file.inode }
            return true
        }
        guard isDone else { return }
        directory.removeSegment(file.inode)
        writer.monitor.withLock { $0.forgotten.append(file) }
        writer.wake.signal()
    }

    public func takeForgotten() -> [FileIdentity] {
        writer.monitor.withLock { state in
            defer { state.forgotten.removeAll() }
            return state.forgotten
        }
    }
}
