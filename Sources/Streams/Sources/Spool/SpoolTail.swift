import CFiles
import Glibc

/// The segment that is appended to, and its replacement by the next one. Used by the spool's thread.
///
/// A segment ends at the first line end from `segmentBytes` on, so that no line spans two segments; a line that doesn't
/// end within 1 MiB more is too long to be answered anyway and is cut.
///
/// An Int32 result of a call is 0, or the errno of the failure.
final class SpoolTail {
    /// Bytes taken at a time: twice the default capacity of a pipe.
    static let chunkBytes = 131_072
    /// How far a segment may exceed `segmentBytes` while it waits for a line end.
    private static let overlongBytes: UInt64 = 1 << 20

    /// Why the last `move` failed.
    private(set) var failure: Int32 = 0
    private(set) var endsInLine: Bool

    private let monitor: Monitor<SpoolState>
    private let directory: SpoolDirectory
    private let disk: SpoolDisk
    private let segmentBytes: UInt64
    private var descriptor: Int32
    private var sequence: UInt64
    private var length: UInt64
    /// The offset up to which space in the segment is allocated.
    private var reserved: UInt64 = 0
    /// A second pipe, used to read a copy of the first one's content; created when it is needed.
    private var probe: [Int32] = []
    private let seen = UnsafeMutableRawBufferPointer.allocate(byteCount: SpoolTail.chunkBytes, alignment: 16)

    init(
        _ recovery: SpoolRecovery, monitor: Monitor<SpoolState>, directory: SpoolDirectory, disk: SpoolDisk,
        segmentBytes: UInt64
    ) {
        self.monitor = monitor
        self.directory = directory
        self.disk = disk
        self.segmentBytes = segmentBytes
        descriptor = recovery.tail
        let last = recovery.segments[recovery.segments.count - 1]
        sequence = last.sequence
        length = last.length
        endsInLine = last.length == 0 || Self.isNewline(recovery.tail, at: last.length - 1)
    }

    deinit {
        close(descriptor)
        for end in probe { close(end) }
        seen.deallocate()
    }

    /// Makes room for the next chunk: ends a full segment, and allocates space before bytes are taken from the stream,
    /// so that they needn't be held in memory when the disk is full.
    func prepare() -> Int32 {
        if length >= segmentBytes, endsInLine {
            let status = roll()
            if status != 0 { return status }
        }
        let needed = UInt64(Self.chunkBytes)
        guard length + needed > reserved else { return 0 }
        for amount in [4 * needed, needed] {
            if disk.reserve(descriptor, length, amount) == 0 {
                reserved = length + amount
                return 0
            }
            // If space can't be reserved, the write will report a full disk.
            guard errno == ENOSPC || errno == EDQUOT else {
                reserved = .max
                return 0
            }
        }
        return ENOSPC
    }

    func synchronise() { fdatasync(descriptor) }

    /// Appends bytes and removes the appended ones from `rest`.
    func append(_ rest: inout UnsafeRawBufferPointer) -> Int32 {
        while !rest.isEmpty {
            let most = room(in: rest)
            guard most > 0 else {
                let status = roll()
                guard status == 0 else { return status }
                continue
            }
            let count = disk.write(descriptor, UnsafeRawBufferPointer(rebasing: rest[..<most]), length)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return count < 0 ? errno : EIO
            }
            grow(by: count, endsInLine: rest[count - 1] == 0x0A)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return 0
    }

    /// Moves bytes from a pipe; at any time they are in the pipe or in the segment.
    func move(from pipe: Int32) -> PipeMove {
        var most = Self.chunkBytes
        if length < segmentBytes {
            most = Int(min(UInt64(most), segmentBytes - length))
        } else {
            // The position of the line end decides how many belong in this segment.
            let count = look(into: pipe)
            guard count > 0 else { return nothing(count) }
            most = room(in: UnsafeRawBufferPointer(rebasing: seen[..<count]))
            guard most > 0 else {
                failure = roll()
                return failure == 0 ? .again : .failed
            }
        }
        let count = disk.move(pipe, descriptor, length, most)
        guard count > 0 else { return nothing(count) }
        grow(by: count, endsInLine: Self.isNewline(descriptor, at: length + UInt64(count) - 1))
        return .bytes(count, endInLine: endsInLine)
    }

    private func nothing(_ count: Int) -> PipeMove {
        failure = errno
        if count == 0 { return .ended }
        return failure == EAGAIN || failure == EINTR ? .again : .failed
    }

    /// Copies the pipe's content, at most a chunk, to `seen`; returns the number of bytes as read(2) does.
    private func look(into pipe: Int32) -> Int {
        if probe.isEmpty {
            var ends: [Int32] = [-1, -1]
            guard Glibc.pipe(&ends) == 0 else { return -1 }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            probe = ends
        }
        let count = understudy_tee(pipe, probe[1], seen.count)
        guard count > 0 else { return count }
        var taken = 0
        while taken < count {
            let more = read(probe[0], seen.baseAddress.map { $0 + taken }, count - taken)
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { return -1 }
            taken += more
        }
        return count
    }

    /// How many of the bytes belong in this segment; 0 if it must be ended before them.
    private func room(in bytes: UnsafeRawBufferPointer) -> Int {
        if length < segmentBytes { return Int(min(UInt64(bytes.count), segmentBytes - length)) }
        guard !endsInLine, length < segmentBytes + Self.overlongBytes else { return 0 }
        let most = Int(min(UInt64(bytes.count), segmentBytes + Self.overlongBytes - length))
        let newline = bytes[..<most].firstIndex(of: 0x0A)
        return newline.map { $0 + 1 } ?? most
    }

    private func grow(by count: Int, endsInLine: Bool) {
        length += UInt64(count)
        self.endsInLine = endsInLine
        monitor.withLock { $0.segments[$0.segments.count - 1].length = length }
        monitor.broadcast(0)
    }

    /// Ends the segment and starts the next one.
    private func roll() -> Int32 {
        let next = directory.makeSegment(sequence + 1)
        guard next >= 0 else { return errno }
        // Releases the unused part of the reservation.
        ftruncate(descriptor, off_t(length))
        fdatasync(descriptor)
        close(descriptor)
        descriptor = next
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

    private static func isNewline(_ descriptor: Int32, at offset: UInt64) -> Bool {
        // If it can't be read, a line that may be open is ended before another begins: at worst this adds a blank line.
        DescriptorBytes.read(descriptor, at: offset, count: 1) == [0x0A]
    }
}
