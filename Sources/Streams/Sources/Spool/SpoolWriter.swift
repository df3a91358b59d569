import Diagnostics
import Glibc

/// The spool's thread: takes bytes from the inner source and appends them to segments.
///
/// A segment ends at the first line end from `segmentBytes` on, so that a line never stands in two; one that doesn't
/// end within 1 MiB more is too long to be answered anyway and is cut.
///
/// `@unchecked Sendable`: `monitor`, `wake` and `interrupt` are for everybody; the variables belong to the thread.
final class SpoolWriter: @unchecked Sendable {
    /// Bytes taken from the inner source at a time: twice what a pipe holds by default.
    private static let chunkBytes = 131_072
    /// How much longer than `segmentBytes` a segment may get while it waits for a line end.
    private static let overlongBytes: UInt64 = 1 << 20
    /// Milliseconds between tries while the disk is full: doubled from the first to the last.
    private static let firstRetry: Int32 = 100
    private static let lastRetry: Int32 = 10_000
    /// Seconds between reports of a full disk.
    private static let reportInterval = 30

    let monitor: Monitor<SpoolState>
    /// Wakes the thread when there may be room again, and when it is to stop.
    let wake: Wake
    private let inner: any StreamSource
    private let directory: SpoolDirectory
    private let disk: SpoolDisk
    private let maximumBytes: UInt64
    private let segmentBytes: UInt64
    private let report: @Sendable (UnderstudyError) -> Void
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: SpoolWriter.chunkBytes, alignment: 16)

    private var tail: Int32
    private var sequence: UInt64
    private var length: UInt64
    private var endsInLine: Bool
    /// Up to where space in the segment is ours.
    private var reserved: UInt64 = 0
    private var lastReport: Int?

    init(
        _ inner: any StreamSource, directory: SpoolDirectory, recovery: SpoolRecovery, maximumBytes: UInt64,
        segmentBytes: UInt64, disk: SpoolDisk, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        self.inner = inner
        self.directory = directory
        self.disk = disk
        self.maximumBytes = maximumBytes
        // Segments are deleted whole: with too few of them the spool would be full of what has been answered.
        self.segmentBytes = min(segmentBytes, max(maximumBytes / 4, 4096))
        self.report = report
        tail = recovery.tail
        let last = recovery.segments[recovery.segments.count - 1]
        sequence = last.sequence
        length = last.length
        var byte: UInt8 = 0x0A
        if length > 0 { _ = pread(tail, &byte, 1, off_t(length) - 1) }
        endsInLine = byte == 0x0A
        monitor = Monitor(SpoolState(segments: recovery.segments, forgotten: recovery.forgotten))
        wake = try Wake()
    }

    deinit {
        close(tail)
        chunk.deallocate()
    }

    func interrupt() {
        monitor.withLock { $0.isInterrupted = true }
        monitor.broadcast(0)
        wake.signal()
        inner.interrupt()
    }

    /// Goes on until the inner source ends, fails or is stopped.
    func run() {
        while waitForRoom() {
            do {
                switch try inner.read(into: chunk) {
                case .bytes(let count): guard append(UnsafeRawBufferPointer(rebasing: chunk[..<count])) else { return }
                case .opened: continue
                case .finished: guard endLine() else { return }
                case .end:
                    if endLine() { finish(.ended) }
                    return
                case .stopped: return
                }
            } catch {
                finish(.failed(error))
                return
            }
        }
    }

    private func finish(_ inner: SpoolState.Inner) {
        fdatasync(tail)
        monitor.withLock { $0.inner = inner }
        monitor.broadcast(0)
    }

    private var isInterrupted: Bool { monitor.withLock { $0.isInterrupted } }

    // MARK: Room

    /// Waits until the spool holds less than it may and the disk has room for a chunk; false once interrupted.
    private func waitForRoom() -> Bool {
        while true {
            let (isInterrupted, isFull) = monitor.withLock { state in
                // A segment that is appended to can't be deleted, so it doesn't hold itself up.
                (state.isInterrupted, state.segments.count > 1 && state.bytes >= maximumBytes)
            }
            if isInterrupted { return false }
            guard isFull else { break }
            wake.wait(milliseconds: -1)
        }
        return retry { reserve() }
    }

    /// Takes space for the next chunk before the chunk is taken from the inner source, so that it needn't be held in
    /// memory when the disk is full. 0 or the errno.
    private func reserve() -> Int32 {
        let needed = UInt64(Self.chunkBytes)
        guard length + needed > reserved else { return 0 }
        for amount in [4 * needed, needed] {
            let status = disk.reserve(tail, length, amount)
            switch status {
            case 0:
                reserved = length + amount
                return 0
            case ENOSPC, EDQUOT: continue
            // Where space can't be reserved it is found out by writing.
            default:
                reserved = .max
                return 0
            }
        }
        return ENOSPC
    }

    /// Does `step` again and again, with longer and longer pauses, until it gives 0; false once interrupted.
    private func retry(_ step: () -> Int32) -> Bool {
        var pause = Self.firstRetry
        while true {
            let status = step()
            if status == 0 { return true }
            if isInterrupted { return false }
            complain(status)
            wake.wait(milliseconds: pause)
            pause = min(2 * pause, Self.lastRetry)
        }
    }

    private func complain(_ number: Int32) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        if let lastReport, now.tv_sec - lastReport < Self.reportInterval { return }
        lastReport = now.tv_sec
        report(
            UnderstudyError(
                .inputOutput,
                "the spool can't be written (\(String(cString: strerror(number)))); '\(inner.name)' isn't read "
                    + "until it can",
                at: directory.path))
    }

    // MARK: Appending

    /// Ends a line that the inner source left open: what comes next is another stream's.
    private func endLine() -> Bool {
        guard !endsInLine else { return true }
        return withUnsafeBytes(of: UInt8(0x0A)) { append($0) }
    }

    /// False if it was interrupted while the disk was full.
    private func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        let done = retry {
            while !rest.isEmpty {
                let most = room(in: rest)
                guard most > 0 else {
                    let status = roll()
                    guard status == 0 else { return status }
                    continue
                }
                let count = disk.write(tail, UnsafeRawBufferPointer(rebasing: rest[..<most]), length)
                guard count > 0 else {
                    if count < 0, errno == EINTR { continue }
                    return count < 0 ? errno : EIO
                }
                endsInLine = rest[count - 1] == 0x0A
                length += UInt64(count)
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                publish()
            }
            return 0
        }
        if !done {
            report(
                UnderstudyError(
                    .inputOutput,
                    "the disk is full: \(rest.count) bytes of '\(inner.name)' were read and couldn't be spooled",
                    at: directory.path))
        }
        return done
    }

    /// How many of the bytes belong in this segment; 0 if it is to be ended before them.
    private func room(in bytes: UnsafeRawBufferPointer) -> Int {
        if length < segmentBytes { return Int(min(UInt64(bytes.count), segmentBytes - length)) }
        guard !endsInLine, length < segmentBytes + Self.overlongBytes else { return 0 }
        let most = Int(min(UInt64(bytes.count), segmentBytes + Self.overlongBytes - length))
        let newline = bytes[..<most].firstIndex(of: 0x0A)
        return newline.map { $0 + 1 } ?? most
    }

    private func publish() {
        monitor.withLock { $0.segments[$0.segments.count - 1].length = length }
        monitor.broadcast(0)
    }

    /// Ends the segment and begins the next one; 0 or the errno.
    private func roll() -> Int32 {
        let next = directory.makeSegment(sequence + 1)
        guard next >= 0 else { return errno }
        // Gives back what was reserved and not used.
        ftruncate(tail, off_t(length))
        fdatasync(tail)
        close(tail)
        tail = next
        sequence += 1
        length = 0
        reserved = 0
        endsInLine = true
        monitor.withLock { state in
            state.segments[state.segments.count - 1].isSealed = true
            state.segments.append(SpoolState.Segment(sequence: sequence, length: 0, isSealed: false))
        }
        monitor.broadcast(0)
        return 0
    }
}
