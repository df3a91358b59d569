import Diagnostics
import Glibc

/// Opening files, and knowing them again.
extension DirectoryReader {
    /// The open file, known to be the one that was read before; nil if it isn't there, can't be read, or is another.
    func open(_ file: TrackedFile) -> OpenFile? {
        if let open = ledger.withLock({ $0.use(file.identity) }) { return open }
        guard let path = file.path else {
            // Its new name may be told of later than the loss of the old was noticed.
            if case .settling = file.growth { return nil }
            retire(file)
            return nil
        }
        let descriptor = calls.open(path)
        guard descriptor >= 0 else {
            let number = errno
            switch number {
            case ENOENT, ELOOP, ENOTDIR: lose(file, path, .left)
            case EMFILE, ENFILE: postpone(file, number)
            default: block(file, "opened", number)
            }
            return nil
        }
        let open = OpenFile(descriptor)
        guard let status = FileStatus(descriptor: descriptor), status.isRegular, status.node == file.node else {
            note(path, .changed)
            return nil
        }
        guard detectPacking(file, open, status) else { return nil }
        guard isSame(file, open, status) else {
            beginAnew(file, status)
            return nil
        }
        if let checkpoint = file.checkpoint { resume(file, checkpoint, open) }
        enter(file, open, status)
        return open
    }

    /// Finds out how the content is packed; false if that can't be told yet, or the file isn't for this source.
    private func detectPacking(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) -> Bool {
        if file.packing == nil {
            var start: [UInt8] = [0, 0, 0, 0]
            let count = start.withUnsafeMutableBytes { open.fill($0, at: 0) }
            file.packing = Packing(start[..<count], isAll: file.isSettled || file.offset > 0)
        }
        switch file.packing {
        case nil:
            file.note(status)
            return false
        case .plain:
            return true
        case .gzip, .zstd:
            guard settings.mode == .tail else { return true }
            file.isBlocked = true
            file.note(status)
            reportOnce(
                UnderstudyError(
                    .invalidData,
                    "compressed files are passed over where growing files are followed: they would be"
                        + " read twice. Use mode: files, or exclude them", at: settings.path))
            return false
        }
    }

    /// Whether what was read of the file is still there.
    func isSame(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) -> Bool {
        // Nothing was read yet.
        if file.checkpoint == nil, !file.isEntered { return true }
        guard file.born == status.born else { return false }
        guard file.packing == .plain else {
            // It may have grown, which other gzip members and zstd frames do to it.
            return [file.born, 0].contains { FileMark.ofArchive(open, size: file.size, born: $0) == file.mark }
        }
        guard status.size >= file.offset, let found = FileMark(open, upTo: file.offset),
            found.matches(file.mark, born: file.born)
        else { return false }
        file.fingerprint = found
        return true
    }

    /// Goes on where an earlier run stopped: at the first line that has no answer.
    private func resume(_ file: TrackedFile, _ checkpoint: FileCheckpoint, _ open: OpenFile) {
        file.checkpoint = nil
        guard let first = checkpoint.unanswered.first, first < checkpoint.offset else { return }
        // Unpacking counts an archive's lines itself.
        guard file.packing == .plain else { return file.place(at: first, line: 1) }
        var lines = LineFeeds.count(open, from: first, to: checkpoint.offset)
        var last: UInt8 = 0x0A
        withUnsafeMutableBytes(of: &last) { _ = open.fill($0, at: checkpoint.offset - 1) }
        // What followed the last LF was a line too.
        if last != 0x0A { lines += 1 }
        file.place(at: first, line: checkpoint.line > lines ? checkpoint.line - lines : 1)
        file.fingerprint = FileMark(open, upTo: first)
    }

    private func enter(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) {
        if file.isEntered {
            ledger.withLock { $0.keep(open, for: file.identity) }
            return
        }
        if file.startsAtEnd { placeAtEnd(file, open) }
        file.isEntered = true
        if file.packing == .plain {
            if file.fingerprint == nil { file.fingerprint = FileMark(open, upTo: file.offset) }
            file.mark = file.fingerprint?.hash(born: file.born) ?? 0
        } else {
            let size = file.isFinished ? file.size : status.size
            file.mark = FileMark.ofArchive(open, size: size, born: file.born) ?? 0
        }
        // Of a finished file the size and time stay those at its end, until it is known that it hasn't grown.
        if !file.isFinished { file.note(status) }
        let entry = FileLedger.Entry(
            path: file.path, followedAs: file.followedAs, node: file.node, born: file.born,
            isArchive: file.packing != .plain, open: open, offset: file.offset, mark: file.mark, size: file.size,
            modified: file.modified, resumed: file.resumed, resumedLine: file.resumedLine, isFinished: file.isFinished,
            isCommitted: file.isFinished)
        ledger.withLock { $0.insert(entry, for: file.identity) }
    }

    /// Behind the last whole line that was there when the file was met. Of an unfinished line that is too long already
    /// only so much is read that it is found to be.
    private func placeAtEnd(_ file: TrackedFile, _ open: OpenFile) {
        let lowest = file.size - min(file.size, UInt64(settings.maximumLineBytes) + 8)
        var end = file.size
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            while end > lowest {
                let start = end - min(end - lowest, UInt64(room.count))
                let part = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(end - start)])
                let count = open.fill(part, at: start)
                let found = LineFeeds.endOfLast(UnsafeRawBufferPointer(rebasing: part[..<count]))
                end = start + UInt64(found)
                if found > 0 { break }
            }
        }
        // Of a file so large that counting its lines would hold up everything, they are numbered from here.
        let lines = end <= 1 << 28 ? LineFeeds.count(open, from: 0, to: end) : 0
        file.place(at: end, line: 1 + lines)
    }

    /// The file can't be read: until it changes, the rest goes on.
    func block(_ file: TrackedFile, _ what: String, _ number: Int32) {
        file.isBlocked = true
        if let status = file.path.flatMap({ FileStatus(path: $0) }) { file.changed = status.changed }
        guard !file.isReported else { return }
        file.isReported = true
        report(
            UnderstudyError(
                .missingInput,
                "the file can't be \(what): \(String(cString: strerror(number))); it is tried again when it changes",
                at: file.lastPath))
    }

    /// The process has no descriptor left: others are given back soon.
    private func postpone(_ file: TrackedFile, _ number: Int32) {
        wakeUp(file, at: Self.now + 1_000_000_000)
        reportOnce(
            UnderstudyError(
                .tryAgain, "files can't be opened: \(String(cString: strerror(number))); raise LimitNOFILE",
                at: settings.path))
    }
}
