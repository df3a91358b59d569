import Glibc

/// Opens tracked files, identifies them, and finds where reading begins.
final class FileOpener {
    enum Outcome {
        /// The open file, verified to be the one that was read before.
        case opened(OpenFile)
        /// The name leads to nothing, or the file has none.
        case absent
        /// The name leads to another file.
        case elsewhere
        /// It may not be read.
        case forbidden(CannotTell)
        /// The process has no free descriptor.
        case noDescriptor(CannotTell)
        /// This source doesn't read it, or its first bytes don't tell yet what it is.
        case unread
        /// The content that was read before has changed: the inode begins anew.
        case changed(FileStatus)
        /// It changed while it was examined.
        case changing
    }

    private let maximumLineBytes: Int
    private let calls: DirectoryCalls
    private let ledger: Monitor<FileLedger>
    private let detector: ContentDetector

    init(
        _ settings: DirectorySource.Settings, calls: DirectoryCalls, ledger: Monitor<FileLedger>,
        detector: ContentDetector
    ) {
        maximumLineBytes = settings.maximumLineBytes
        self.calls = calls
        self.ledger = ledger
        self.detector = detector
    }

    func open(_ file: TrackedFile) throws(CannotTell) -> Outcome {
        if let open = ledger.withLock({ $0.use(file.identity) }) { return .opened(open) }
        guard let path = file.path ?? file.target else { return .absent }
        let descriptor = calls.open(path)
        guard descriptor >= 0 else {
            let why = CannotTell(number: errno)
            switch why.number {
            case ENOENT, ENOTDIR: return .absent
            case ELOOP: return .elsewhere
            case EMFILE, ENFILE: return .noDescriptor(why)
            case EACCES, EPERM: return .forbidden(why)
            default: throw why
            }
        }
        let open = OpenFile(descriptor, calls)
        let status = try FileStatus(open)
        guard status.isRegular, status.node == file.node else { return .elsewhere }
        guard try detector.detect(file, open, status) else { return .unread }
        guard try file.isSame(open, status) else { return .changed(status) }
        return try enter(file, open, status) ? .opened(open) : .changing
    }

    /// Enters the file in the ledger, once everything that this needs has been read; false if it has changed meanwhile.
    private func enter(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> Bool {
        if file.isEntered {
            ledger.withLock { $0.keep(open, for: file.identity) }
            return true
        }
        let place: Place? =
            if let checkpoint = file.checkpoint {
                try resumption(file, checkpoint, open)
            } else if file.startsAtEnd {
                try endOfLastLine(file, open)
            } else { nil }
        let mark: UInt64
        var fingerprint: FileMark?
        if file.packing == .plain {
            guard let found = try FileMark(open, upTo: place?.offset ?? file.offset) else { return false }
            fingerprint = found
            mark = found.hash(born: file.born)
        } else {
            let size = file.isFinished ? file.size : status.size
            guard let found = try FileMark.ofArchive(open, size: size, born: file.born) else { return false }
            mark = found
        }
        file.checkpoint = nil
        if let place { file.place(at: place.offset, line: place.line) }
        if let fingerprint { file.refresh(fingerprint) }
        file.isEntered = true
        file.mark = mark
        // A finished file keeps the size and time at its end until it is known that it hasn't grown.
        if !file.isFinished { file.note(status) }
        let entry = FileLedger.Entry(
            path: file.path, followedAs: file.followedAs, node: file.node, born: file.born,
            isArchive: file.packing != .plain, open: open, offset: file.offset, mark: file.mark, size: file.size,
            modified: file.modified, resumed: file.resumed, resumedLine: file.resumedLine, isFinished: file.isFinished,
            isCommitted: file.isFinished, isLinked: file.target != nil)
        ledger.withLock { $0.insert(entry, for: file.identity) }
        return true
    }

    // MARK: where reading begins

    private struct Place {
        var offset: UInt64
        var line: UInt64
    }

    /// Where an earlier run stopped: at the first line without an answer.
    private func resumption(
        _ file: TrackedFile, _ checkpoint: FileCheckpoint, _ open: OpenFile
    ) throws(CannotTell) -> Place? {
        guard let first = checkpoint.unanswered.first, first < checkpoint.offset else { return nil }
        // The lines of an archive are counted while it is unpacked.
        guard file.packing == .plain else { return Place(offset: first, line: 1) }
        var lines = try LineFeeds.count(open, file.unit, from: first, to: checkpoint.offset)
        // The bytes after the last LF were a line too.
        if try !endsInLineFeed(file, open, checkpoint.offset) { lines += 1 }
        return Place(offset: first, line: checkpoint.line > lines ? checkpoint.line - lines : 1)
    }

    private func endsInLineFeed(_ file: TrackedFile, _ open: OpenFile, _ end: UInt64) throws(CannotTell) -> Bool {
        guard file.unit != .byte else { return try open.byte(at: end - 1) == 0x0A }
        guard end >= 2, end % 2 == 0 else { return false }
        let last = try open.bytes(2, at: end - 2)
        return last.count == 2 && file.unit.isPair(last[0], last[1], 0x0A)
    }

    /// The position behind the last whole line that existed when the file was found. An unfinished line that is too
    /// long is read only until its length exceeds the maximum.
    private func endOfLastLine(_ file: TrackedFile, _ open: OpenFile) throws(CannotTell) -> Place {
        var lowest = file.size - min(file.size, UInt64(maximumLineBytes) + 8)
        var end = file.size
        if file.unit != .byte { (lowest, end) = (lowest & ~1, end & ~1) }
        while end > lowest {
            let start = end - min(end - lowest, 65_536)
            let bytes = try open.bytes(Int(end - start), at: start)
            let found = bytes.withUnsafeBytes { LineFeeds.endOfLast($0, file.unit, at: start) }
            end = start + UInt64(found)
            if found > 0 { break }
        }
        // Counting the lines of a very large file would block other work, so its lines are numbered from here.
        let lines = end <= 1 << 28 ? try LineFeeds.count(open, file.unit, from: 0, to: end) : 0
        return Place(offset: end, line: 1 + lines)
    }
}
