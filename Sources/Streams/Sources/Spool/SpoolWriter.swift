import CFiles
import Diagnostics
import Glibc

/// The spool's thread: takes bytes from the inner source and appends them to segments.
///
/// Bytes of a pipe are moved, so that after a kill each of them is in the pipe or in the segment. Bytes of other
/// sources are only in this process for the moment between its read and the write.
///
/// `@unchecked Sendable`: any thread may use `monitor`, `wake` and `interrupt`; the rest is used by the spool's thread
/// only.
final class SpoolWriter: @unchecked Sendable {
    /// Milliseconds between attempts while the disk is full: doubled from the first to the last.
    private static let firstRetry: Int32 = 100
    private static let lastRetry: Int32 = 10_000
    /// Seconds between reports of a full disk.
    private static let reportInterval = 30

    let monitor: Monitor<SpoolState>
    /// Wakes the thread when there may be room again, and when it must stop.
    let wake: Wake
    private let inner: any StreamSource
    private let directory: SpoolDirectory
    private let maximumBytes: UInt64
    private let report: @Sendable (UnderstudyError) -> Void
    private let tail: SpoolTail
    /// The inner source, while its bytes can be moved.
    private var pipe: (any PipeSource)?
    private var pause = SpoolWriter.firstRetry
    private var lastReport: Int?

    init(
        _ inner: any StreamSource, directory: SpoolDirectory, recovery: SpoolRecovery, maximumBytes: UInt64,
        segmentBytes: UInt64, disk: SpoolDisk, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        self.inner = inner
        self.directory = directory
        self.maximumBytes = maximumBytes
        self.report = report
        monitor = Monitor(SpoolState(segments: recovery.segments, forgotten: recovery.forgotten))
        // Segments are deleted whole: if there were too few of them, answered lines would fill the spool.
        tail = SpoolTail(
            recovery, monitor: monitor, directory: directory, disk: disk,
            segmentBytes: min(segmentBytes, max(maximumBytes / 4, 4096)))
        if let source = inner as? any PipeSource, source.isPipe { pipe = source }
        wake = try Wake()
    }

    func interrupt() {
        monitor.withLock { $0.isInterrupted = true }
        monitor.broadcast(0)
        wake.signal()
        inner.interrupt()
    }

    /// Runs until the inner source ends, fails or is stopped.
    func run() {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: SpoolTail.chunkBytes, alignment: 16)
        defer { chunk.deallocate() }
        do {
            while waitForRoom() {
                let goesOn =
                    if let pipe { try move(from: pipe) } else { try read(into: chunk) }
                guard goesOn else { return }
            }
        } catch {
            finish(.failed(error))
        }
    }

    /// False when there is nothing more to do.
    private func read(into chunk: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> Bool {
        switch try inner.read(into: chunk) {
        case .bytes(let count): return append(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        case .opened: return true
        case .finished, .torn: return endLine()
        case .end:
            if endLine() { finish(.ended) }
            return false
        case .stopped: return false
        }
    }

    private func move(from pipe: any PipeSource) throws(UnderstudyError) -> Bool {
        switch try pipe.take({ tail.move(from: $0) }) {
        case .bytes: pause = Self.firstRetry
        case .lineLeftOpen: return endLine()
        case .end:
            if endLine() { finish(.ended) }
            return false
        case .stopped: return false
        case .failed:
            switch tail.failure {
            // The file system doesn't support moving bytes from a pipe.
            case EINVAL, ENOSYS, EOPNOTSUPP: self.pipe = nil
            default: waitAfter(tail.failure)
            }
        }
        return true
    }

    private func finish(_ inner: SpoolState.Inner) {
        tail.synchronise()
        monitor.withLock { $0.inner = inner }
        monitor.broadcast(0)
    }

    private var isInterrupted: Bool { monitor.withLock { $0.isInterrupted } }

    /// Waits until the spool is below its maximum and the disk has room for a chunk; false once interrupted.
    private func waitForRoom() -> Bool {
        while true {
            let (isInterrupted, isFull) = monitor.withLock { state in
                // The segment that is appended to can't be deleted, so on its own it doesn't cause a wait.
                (state.isInterrupted, state.segments.count > 1 && state.bytes >= maximumBytes)
            }
            if isInterrupted { return false }
            guard isFull else { break }
            wake.wait(milliseconds: -1)
        }
        return retry { tail.prepare() }
    }

    /// Ends a line that the inner source left open: the next bytes are another stream's.
    private func endLine() -> Bool {
        guard !tail.endsInLine else { return true }
        return withUnsafeBytes(of: UInt8(0x0A)) { append($0) }
    }

    /// False if it was interrupted while the disk was full.
    private func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        if retry({ tail.append(&rest) }) {
            pause = Self.firstRetry
            return true
        }
        report(
            UnderstudyError(
                .inputOutput,
                "the disk is full: \(rest.count) bytes of '\(inner.name)' were read and couldn't be spooled",
                at: directory.path))
        return false
    }

    // MARK: A full disk

    /// Repeats `step`, with increasing pauses, until it returns 0; false once interrupted.
    private func retry(_ step: () -> Int32) -> Bool {
        while true {
            let status = step()
            if status == 0 { return true }
            if isInterrupted { return false }
            waitAfter(status)
        }
    }

    private func waitAfter(_ number: Int32) {
        complain(number)
        wake.wait(milliseconds: pause)
        pause = min(2 * pause, Self.lastRetry)
    }

    private func complain(_ number: Int32) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        if let lastReport, now.tv_sec - lastReport < Self.reportInterval { return }
        lastReport = now.tv_sec
        report(
            UnderstudyError(
                .writing(number, else: .inputOutput),
                "the spool can't be written (\(String(cString: strerror(number)))); '\(inner.name)' isn't read "
                    + "until it can be written",
                at: directory.path))
    }
}
