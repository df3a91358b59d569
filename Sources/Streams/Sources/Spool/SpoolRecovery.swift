import Diagnostics
import Glibc

/// Recovers the spool of an earlier run and finds the position to continue at. Damage is set aside and reported; it
/// never stops a start. A segment that can't be read says nothing about damage: it stops the start.
struct SpoolRecovery {
    private(set) var segments: [SpoolState.Segment] = []
    /// Where to continue, by sequence, in segments that an earlier run had begun to answer.
    private(set) var origins: [UInt64: SourceOrigin] = [:]
    private(set) var forgotten: [FileIdentity] = []
    /// The last segment, open for reading and writing.
    private(set) var tail: Int32 = -1

    private let directory: SpoolDirectory
    private let source: String
    private let report: @Sendable (UnderstudyError) -> Void

    /// Errors: `inputOutput`, `noPermission` if a segment can't be read; `cannotCreate`, `missingInput`: a spool needs a
    /// segment to append to.
    init(
        _ directory: SpoolDirectory, source: String, checkpoints: [FileCheckpoint],
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        self.directory = directory
        self.source = source
        self.report = report
        let own = checkpoints.filter { checkpoint in
            checkpoint.source == source && checkpoint.file.device == 0
                && checkpoint.file.inode <= SpoolDirectory.greatestSequence
        }
        let known = Dictionary(own.map { ($0.file.inode, $0) }) { first, _ in first }
        let sequences = try directory.sequences()
        var finished: [UInt64] = []
        for sequence in sequences {
            switch try examine(sequence, known[sequence]) {
            case .goesOn(let length):
                segments.append(SpoolState.Segment(sequence: sequence, length: length, isSealed: true))
            case .isFinished: finished.append(sequence)
            case .isDamaged: break
            }
        }
        try openTail(newest: max(sequences.last ?? 0, known.keys.max() ?? 0))
        // Removed last: the number of the newest segment must never be lost.
        for sequence in finished { directory.removeSegment(sequence) }
        let kept = Set(segments.map(\.sequence))
        forgotten = known.keys.filter { !kept.contains($0) }.map(SpoolState.identity)
    }

    private enum Finding {
        case goesOn(length: UInt64)
        case isFinished
        case isDamaged
    }

    private mutating func examine(
        _ sequence: UInt64, _ checkpoint: FileCheckpoint?
    ) throws(UnderstudyError) -> Finding {
        let path = directory.segmentPath(sequence)
        let descriptor: Int32
        let length: UInt64
        switch Self.open(path) {
        case .success(let opened): (descriptor, length) = opened
        case .failure(let why): throw Self.unreadable(path, why.number)
        }
        defer { close(descriptor) }
        guard let checkpoint else { return .goesOn(length: length) }
        if checkpoint.isFinished, checkpoint.unanswered.isEmpty, length <= checkpoint.offset { return .isFinished }
        guard length >= checkpoint.offset else {
            return setAside(path, "is shorter than its answered part")
        }
        let start = min(checkpoint.unanswered.first ?? checkpoint.offset, checkpoint.offset)
        let passed: UInt64
        do throws(CannotTell) {
            guard try SpoolDirectory.mark(descriptor, before: checkpoint.offset) == checkpoint.mark else {
                return setAside(path, "has changed since it was answered")
            }
            passed = try Self.lines(in: descriptor, from: start, to: checkpoint.offset)
        } catch {
            throw Self.unreadable(path, error.number)
        }
        origins[sequence] = SourceOrigin(
            source: source, path: path, file: SpoolState.identity(sequence), start: start,
            firstLine: checkpoint.line > passed ? checkpoint.line - passed : 1, unanswered: checkpoint.unanswered,
            resumed: checkpoint.offset, resumedLine: checkpoint.line)
        return .goesOn(length: length)
    }

    /// Opens a segment and reads its length, repeatedly if necessary: a failure that passes within a moment mustn't
    /// lose the segment.
    private static func open(
        _ path: String
    ) -> Result<(descriptor: Int32, length: UInt64), PatientCall.CallFailure> {
        var length: UInt64 = 0
        return PatientCall.result { () -> Int32 in
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            var status = stat()
            guard descriptor >= 0, fstat(descriptor, &status) != 0 else {
                length = UInt64(status.st_size)
                return descriptor
            }
            let number = errno
            close(descriptor)
            errno = number
            return -1
        }.map { ($0, length) }
    }

    /// Says nothing about the segment's lines: a start that went on without them would lose them.
    private static func unreadable(_ path: String, _ number: Int32) -> UnderstudyError {
        UnderstudyError(
            .reading(number, else: .inputOutput),
            "the spool's segment can't be read: \(String(cString: strerror(number))); move it away to go on without its "
                + "lines", at: path)
    }

    private func setAside(_ path: String, _ why: String) -> Finding {
        let aside = path + ".damaged"
        let outcome =
            rename(path, aside) == 0
            ? "it was set aside as \(aside)" : "it can't be set aside (\(String(cString: strerror(errno))))"
        report(
            UnderstudyError(
                .invalidData, "the spool's segment \(why); \(outcome), and reading continues with the next one",
                at: path))
        return .isDamaged
    }

    /// Continues the newest segment, or creates the next one if the newest one is finished or damaged.
    ///
    /// A newest segment that can't be opened ends the start: it may end in the first half of a line, whose other half
    /// mustn't begin the next segment.
    private mutating func openTail(newest: UInt64) throws(UnderstudyError) {
        if let last = segments.last, last.sequence == newest {
            let path = directory.segmentPath(newest)
            switch PatientCall.result({ Glibc.open(path, O_RDWR | O_CLOEXEC) }) {
            case .success(let descriptor): tail = descriptor
            case .failure(let why):
                throw UnderstudyError(
                    .writing(why.number, else: .cannotCreate),
                    "the spool's segment can't be appended to: \(String(cString: strerror(why.number)))", at: path)
            }
            segments[segments.count - 1].isSealed = false
            return
        }
        let sequence = newest + 1
        tail = directory.makeSegment(sequence)
        guard tail >= 0 else {
            let reason = errno
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate),
                "the spool's segment can't be created: \(String(cString: strerror(reason)))",
                at: directory.segmentPath(sequence))
        }
        segments.append(SpoolState.Segment(sequence: sequence, length: 0, isSealed: false))
    }

    /// The number of lines that end in a range of a file.
    private static func lines(
        in descriptor: Int32, from start: UInt64, to end: UInt64
    ) throws(CannotTell) -> UInt64 {
        var offset = start
        var lines: UInt64 = 0
        while offset < end {
            let count = min(65_536, end - offset)
            guard let bytes = try SpoolDirectory.read(descriptor, at: offset, count: Int(count)) else { break }
            lines += UInt64(bytes.withUnsafeBytes { LineFeeds.count($0) })
            offset += count
        }
        return lines
    }
}
