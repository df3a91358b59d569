import Diagnostics
import Glibc

/// Opens files and identifies them.
extension DirectoryReader {
    /// The open file, verified to be the one that was read before; nil if it doesn't exist, may not be read, or is
    /// another file.
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

    /// A file without a name ends, unless the event of its new name may still come.
    private func retireUnlessSettling(_ file: TrackedFile) {
        if case .settling = file.growth { return }
        if !awaitName(of: file) { retire(file) }
    }

    /// Detects the compression of the content; false if it can't be determined yet, or this source doesn't read the
    /// file.
    private func detectPacking(
        _ file: TrackedFile, _ open: OpenFile, _ status: FileStatus
    ) throws(CannotTell) -> Bool {
        if file.packing == nil {
            let start = try open.start(4)
            let isAll = file.isSettled || file.offset > 0
            if let packing = Packing(start, isAll: isAll), let unit = try unit(file, open, packing, start, isAll) {
                (file.packing, file.unit) = (packing, unit)
            }
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

    /// The code unit of the text, by its first bytes; nil while they are too few. `isAll`: no bytes follow them.
    ///
    /// Reports an encoding that differs from the configured one.
    private func unit(
        _ file: TrackedFile, _ open: OpenFile, _ packing: Packing, _ start: [UInt8], _ isAll: Bool
    ) throws(CannotTell) -> CodeUnit? {
        if packing != .plain, settings.mode == .tail { return .byte }
        guard settings.encoding.isUTF16 else {
            if packing == .plain { warnOfMark(file, start) }
            return .byte
        }
        let first = packing == .plain ? start : try firstUnpacked(open, packing)
        guard first.count >= 2 || isAll else { return nil }
        warnOfMark(file, first)
        return settings.encoding.unit(of: first)
    }

    /// Warns if `start`, the first bytes of the text, holds the byte order mark of another encoding.
    func warnOfMark(_ file: TrackedFile, _ start: [UInt8]) {
        let found: (name: String, mark: String)? =
            switch CodeUnit(mark: start) {
            case .littleEndian: ("UTF-16", "FF FE")
            case .bigEndian: ("UTF-16", "FE FF")
            default: start.starts(with: [0xEF, 0xBB, 0xBF]) ? ("UTF-8", "EF BB BF") : nil
            }
        guard let found, settings.encoding.isUTF16 != (found.name == "UTF-16") else { return }
        // GB18030 and Big5 files of Windows have no mark; a UTF-8 mark in one is harmless.
        reportOnce(
            UnderstudyError(
                .invalidData,
                "looks like \(found.name) (byte order mark \(found.mark)); set encoding: \(found.name.lowercased())"
                    + " for this source", at: file.lastPath))
    }

    /// The first unpacked bytes of an archive; fewer than two if there are no more, or if it is damaged there.
    private func firstUnpacked(_ open: OpenFile, _ packing: Packing) throws(CannotTell) -> [UInt8] {
        guard let unpacker = Unpacker(packing) else { throw CannotTell(number: ENOMEM) }
        var first: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4)
        while first.count < 3 {
            var failure: CannotTell?
            let outcome = bytes.withUnsafeMutableBytes { room in
                do throws(CannotTell) { return try unpacker.read(open, into: room) } catch {
                    failure = error
                    return .end
                }
            }
            if let failure { throw failure }
            guard case .bytes(let count) = outcome else { break }
            first += bytes[..<count]
        }
        return first
    }

    /// Whether the content that was read of the file is unchanged.
    func isSame(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> Bool {
        // Nothing has been read yet.
        if file.checkpoint == nil, !file.isEntered { return true }
        guard file.born == status.born else { return false }
        guard file.packing == .plain else {
            // The archive may have grown by further gzip members or zstd frames.
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

    /// Where reading begins, and the mark of the bytes before it.
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

    /// Enters the file, once everything that this needs has been read; false if it has changed meanwhile.
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

    /// The position behind the last whole line that existed when the file was found. An unfinished line that is too
    /// long is read only until its length exceeds the maximum.
    private func endOfLastLine(_ file: TrackedFile, _ open: OpenFile) throws(CannotTell) -> Place {
        var lowest = file.size - min(file.size, UInt64(settings.maximumLineBytes) + 8)
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

    /// The file isn't readable: it is skipped until its permissions change.
    private func block(_ file: TrackedFile, _ what: String, _ why: CannotTell) {
        file.isBlocked = true
        if let path = file.path {
            do throws(CannotTell) {
                if let status = try leadsTo(path) { file.changed = status.changed }
            } catch {
                // With this change time the next examination finds a change.
                file.changed = 0
            }
        }
        reportOnce(
            UnderstudyError(
                .missingInput, "the file can't be \(what): \(why.reason); it is tried again when it changes",
                at: file.lastPath))
    }

    /// The process has no free descriptor; others will be closed soon.
    private func postpone(_ file: TrackedFile, _ why: CannotTell) {
        wakeUp(file, at: Self.now + 1_000_000_000)
        reportOnce(
            UnderstudyError(
                .tryAgain, "files can't be opened: \(why.reason); raise LimitNOFILE", at: settings.path))
    }
}
