import Diagnostics
import Glibc

/// Opening files, and knowing them again.
extension DirectoryReader {
    /// The open file, known to be the one that was read before; nil if it isn't there, may not be read, or is another.
    func open(_ file: TrackedFile) throws(CannotTell) -> OpenFile? {
        if let open = ledger.withLock({ $0.use(file.identity) }) { return open }
        guard let path = file.path ?? file.target else {
            retireUnlessSettling(file)
            return nil
        }
        let descriptor = calls.open(path)
        guard descriptor >= 0 else {
            let why = CannotTell(number: errno)
            switch why.number {
            case ENOENT, ENOTDIR:
                if file.path != nil { lose(file, path, .left) } else { retireUnlessSettling(file) }
            case ELOOP: if file.path != nil { note(path, .changed) } else { retireUnlessSettling(file) }
            case EMFILE, ENFILE: postpone(file, why)
            case EACCES, EPERM: block(file, "opened", why)
            default: throw why
            }
            return nil
        }
        let open = OpenFile(descriptor, calls)
        let status = try FileStatus(open)
        guard status.isRegular, status.node == file.node else {
            if file.path != nil { note(path, .changed) } else { retireUnlessSettling(file) }
            return nil
        }
        guard try detectPacking(file, open, status) else { return nil }
        guard try isSame(file, open, status) else {
            beginAnew(file, status)
            return nil
        }
        guard try enter(file, open, status) else {
            turnSoon(file)
            return nil
        }
        return open
    }

    /// Nothing more comes of a file without a name, unless its new name may still be told of.
    private func retireUnlessSettling(_ file: TrackedFile) {
        if case .settling = file.growth { return }
        retire(file)
    }

    /// Finds out how the content is packed; false if that can't be told yet, or the file isn't for this source.
    private func detectPacking(
        _ file: TrackedFile, _ open: OpenFile, _ status: FileStatus
    ) throws(CannotTell) -> Bool {
        if file.packing == nil {
            let start = try open.start(4)
            file.packing = Packing(start, isAll: file.isSettled || file.offset > 0)
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
    func isSame(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> Bool {
        // Nothing was read yet.
        if file.checkpoint == nil, !file.isEntered { return true }
        guard file.born == status.born else { return false }
        guard file.packing == .plain else {
            // It may have grown, which other gzip members and zstd frames do to it.
            for born in [file.born, 0] {
                if try FileMark.ofArchive(open, size: file.size, born: born) == file.mark { return true }
            }
            return false
        }
        guard status.size >= file.offset, let found = try FileMark(open, upTo: file.offset),
            found.matches(file.mark, born: file.born)
        else { return false }
        file.refresh(found)
        return true
    }

    /// Where reading begins, and what the bytes before it are.
    private struct Place {
        var offset: UInt64
        var line: UInt64
    }

    /// Where an earlier run stopped: at the first line that has no answer.
    private func resumption(
        _ file: TrackedFile, _ checkpoint: FileCheckpoint, _ open: OpenFile
    ) throws(CannotTell) -> Place? {
        guard let first = checkpoint.unanswered.first, first < checkpoint.offset else { return nil }
        // Unpacking counts an archive's lines itself.
        guard file.packing == .plain else { return Place(offset: first, line: 1) }
        var lines = try LineFeeds.count(open, from: first, to: checkpoint.offset)
        // What followed the last LF was a line too.
        if try open.byte(at: checkpoint.offset - 1) != 0x0A { lines += 1 }
        return Place(offset: first, line: checkpoint.line > lines ? checkpoint.line - lines : 1)
    }

    /// Takes the file up, once all that this needs has been read; false if it has changed meanwhile.
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
        // Of a finished file the size and time stay those at its end, until it is known that it hasn't grown.
        if !file.isFinished { file.note(status) }
        let entry = FileLedger.Entry(
            path: file.path, followedAs: file.followedAs, node: file.node, born: file.born,
            isArchive: file.packing != .plain, open: open, offset: file.offset, mark: file.mark, size: file.size,
            modified: file.modified, resumed: file.resumed, resumedLine: file.resumedLine, isFinished: file.isFinished,
            isCommitted: file.isFinished, isLinked: file.target != nil)
        ledger.withLock { $0.insert(entry, for: file.identity) }
        return true
    }

    /// Behind the last whole line that was there when the file was met. Of an unfinished line that is too long already
    /// only so much is read that it is found to be.
    private func endOfLastLine(_ file: TrackedFile, _ open: OpenFile) throws(CannotTell) -> Place {
        let lowest = file.size - min(file.size, UInt64(settings.maximumLineBytes) + 8)
        var end = file.size
        while end > lowest {
            let start = end - min(end - lowest, 65_536)
            let bytes = try open.bytes(Int(end - start), at: start)
            let found = bytes.withUnsafeBytes { LineFeeds.endOfLast($0) }
            end = start + UInt64(found)
            if found > 0 { break }
        }
        // Of a file so large that counting its lines would hold up everything, they are numbered from here.
        let lines = end <= 1 << 28 ? try LineFeeds.count(open, from: 0, to: end) : 0
        return Place(offset: end, line: 1 + lines)
    }

    /// The file may not be read: until its permissions change, the rest goes on.
    private func block(_ file: TrackedFile, _ what: String, _ why: CannotTell) {
        file.isBlocked = true
        if let path = file.path {
            do throws(CannotTell) {
                if let status = try leadsTo(path) { file.changed = status.changed }
            } catch {
                // Not knowing when it changed, the next look at it finds a change.
                file.changed = 0
            }
        }
        reportOnce(
            UnderstudyError(
                .missingInput, "the file can't be \(what): \(why.reason); it is tried again when it changes",
                at: file.lastPath))
    }

    /// The process has no descriptor left: others are given back soon.
    private func postpone(_ file: TrackedFile, _ why: CannotTell) {
        wakeUp(file, at: Self.now + 1_000_000_000)
        reportOnce(
            UnderstudyError(
                .tryAgain, "files can't be opened: \(why.reason); raise LimitNOFILE", at: settings.path))
    }
}
