import Diagnostics
import Glibc

/// One file's turn.
extension DirectoryReader {
    /// The next event of the file; nil if there is none now.
    func advance(_ file: TrackedFile, into room: UnsafeMutableRawBufferPointer) -> SourceEvent? {
        do throws(CannotTell) {
            let event = try turn(file, room)
            file.failures = 0
            return event
        } catch {
            fail(file, error)
            return nil
        }
    }

    private func turn(
        _ file: TrackedFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> SourceEvent? {
        guard !file.isBlocked, nodes[file.node] === file else { return nil }
        if file.isFinished {
            guard try hasGrown(file) else { return nil }
            goOn(file)
        }
        guard let open = try open(file) else { return nil }
        if file.isFinished { return nil }
        if file.packing != .plain {
            // An archive that is still being written can't be told from a truncated one.
            return file.isSettled ? try readArchive(file, open, room) : nil
        }
        return file.isSettled ? try readAll(file, open, room) : try readLines(file, open, room)
    }

    // MARK: to the end

    private func readAll(
        _ file: TrackedFile, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> SourceEvent? {
        while true {
            guard announced === file || file.isInHole else { return announce(file) }
            let count = try readUnits(file, open, room)
            guard count > 0 else { break }
            let most = try beforeHole(file, open, UnsafeRawBufferPointer(rebasing: room[..<count]))
            if most > 0 {
                guard announced === file else { return announce(file) }
                return handOut(file, UnsafeRawBufferPointer(rebasing: room[..<most]))
            }
            if ledger.withLock({ $0.isInterrupted }) { return .stopped }
        }
        file.isInHole = false
        guard announced === file else { return announce(file) }
        let status = try FileStatus(open)
        guard try isSame(file, open, status) else {
            beginAnew(file, status)
            return nil
        }
        return try finish(file, open, status)
    }

    /// Reads at the file's offset; in UTF-16 up to an even offset, unless the file ends at an odd one.
    private func readUnits(
        _ file: TrackedFile, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> Int {
        let count = try open.read(into: room, at: file.offset)
        guard file.unit != .byte, count > 0, (file.offset + UInt64(count)) % 2 != 0 else { return count }
        if count > 1 { return count - 1 }
        return try open.fill(UnsafeMutableRawBufferPointer(rebasing: room.prefix(2)), at: file.offset)
    }

    func finish(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> SourceEvent {
        if file.packing != .plain {
            file.mark = try FileMark.ofArchive(open, size: status.size, born: file.born) ?? file.mark
        }
        if file.offset > file.lineStart { file.place(at: file.offset, line: file.line + 1) }
        file.isFinished = true
        file.note(status)
        file.unpacker = nil
        file.fingerprint = nil
        file.unanswered = []
        announced = nil
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.isFinished = true
                $0.mark = file.mark
                $0.size = file.size
                $0.modified = file.modified
            }
        }
        if file.path == nil, !awaitName(of: file) { drop(file) }
        return .finished
    }

    /// Whether a finished file holds more than was read.
    private func hasGrown(_ file: TrackedFile) throws(CannotTell) -> Bool {
        if let path = file.path, let status = try leadsTo(path), status.node == file.node,
            status.size == file.size, status.modified == file.modified
        {
            clearAway(file)
            return false
        }
        // An earlier check of an open descriptor proves nothing about later writes.
        ledger.withLock { $0.letGo(file.identity) }
        guard let open = try open(file) else { return false }
        let status = try FileStatus(open)
        if status.size != file.size { return true }
        file.note(status)
        ledger.withLock { ledger in ledger.update(file.identity) { $0.modified = status.modified } }
        clearAway(file)
        return false
    }

    private func goOn(_ file: TrackedFile) {
        file.isFinished = false
        guard settings.mode == .tail else { return }
        let due = Self.now + limits.settleNanoseconds
        file.growth = .settling(until: due)
        wakeUp(file, at: due)
    }

    /// Moves or deletes a file that an earlier run had answered but not cleared away.
    private func clearAway(_ file: TrackedFile) {
        guard isLeftOver(file), let path = file.path else { return }
        switch FileDisposal(settings, calls).clear(path, node: file.node, size: file.size, report: reportOnce) {
        case .kept: break
        case .failed: clearLater(file)
        case .cleared:
            names[path] = nil
            nodes[file.node] = nil
            generations.set(file.identity.generation + 1, for: file.node)
            forget(file.identity)
        }
    }

    func isLeftOver(_ file: TrackedFile) -> Bool {
        settings.after != .keep && file.isFinished && !file.isAnswered
    }

    // MARK: whole lines

    private func readLines(
        _ file: TrackedFile, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> SourceEvent? {
        if file.startsAtEnd {
            file.startsAtEnd = false
            if announced !== file { return announce(file) }
        }
        while true {
            if file.wholeUpTo > file.offset {
                guard announced === file || file.isInHole else { return announce(file) }
                let wanted = Int(min(UInt64(room.count), file.wholeUpTo - file.offset))
                let count = try readUnits(file, open, UnsafeMutableRawBufferPointer(rebasing: room[..<wanted]))
                guard try isUnbroken(file, open), count > 0 else { return nil }
                let most = try beforeHole(file, open, UnsafeRawBufferPointer(rebasing: room[..<count]))
                if most == 0 {
                    if ledger.withLock({ $0.isInterrupted }) { return .stopped }
                    continue
                }
                guard announced === file else { return announce(file) }
                let event = handOut(file, UnsafeRawBufferPointer(rebasing: room[..<most]))
                if file.wholeUpTo == file.offset { passOn(file) }
                return event
            }
            guard try isUnbroken(file, open) else { return nil }
            let status = try FileStatus(open)
            guard status.size > file.scanned else { return try idle(file, status, open, room) }
            guard announced === file else { return announce(file) }
            // A long unfinished line is not read repeatedly.
            let isShort = file.scanned - file.offset < UInt64(room.count / 2)
            // The last byte may be the first half of a line feed.
            let start = isShort ? file.offset : file.unit == .byte ? file.scanned : file.scanned & ~1
            let count = try open.read(into: room, at: start)
            guard try isUnbroken(file, open), count > 0 else { return nil }
            giveTime(file, start + UInt64(count))
            let whole = LineFeeds.endOfLast(
                UnsafeRawBufferPointer(rebasing: room[..<count]), file.unit, at: start)
            file.scanned = max(file.scanned, start + UInt64(count))
            if whole == 0 {
                // The size of a file with a hole doesn't tell how much there is to read.
                if Self.isHole(UnsafeRawBufferPointer(rebasing: room[..<count])) {
                    file.scanned = max(file.scanned, open.nextData(from: file.scanned, end: status.size))
                }
                continue
            }
            // Set first: lines that follow a hole in this block are handed out from here on.
            file.wholeUpTo = start + UInt64(whole)
            guard isShort else { continue }
            let most = try beforeHole(file, open, UnsafeRawBufferPointer(rebasing: room[..<whole]))
            guard most > 0 else { continue }
            let event = handOut(file, UnsafeRawBufferPointer(rebasing: room[..<most]))
            if file.wholeUpTo == file.offset { passOn(file) }
            return event
        }
    }

    /// Whether the bytes read before are unchanged, so that the new ones continue them. If not, the file begins anew.
    private func isUnbroken(_ file: TrackedFile, _ open: OpenFile) throws(CannotTell) -> Bool {
        let status = try FileStatus(open)
        if status.size >= file.offset, let found = try FileMark(open, upTo: file.offset),
            found.matches(file.mark, born: file.born)
        {
            // The writer may have removed an unfinished line.
            if status.size < file.scanned { file.forgetUnfinishedLine() }
            return true
        }
        beginAnew(file, status)
        return false
    }

    /// A file that may lose its writer gets more time while it grows.
    private func giveTime(_ file: TrackedFile, _ end: UInt64) {
        guard case .settling = file.growth, end > file.scanned else { return }
        file.growth = .settling(until: Self.now + limits.settleNanoseconds)
    }

    /// Handles a file without more data for now.
    private func idle(
        _ file: TrackedFile, _ status: FileStatus, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> SourceEvent? {
        file.note(status)
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.size = file.size
                $0.modified = file.modified
            }
        }
        // A file that is read once and kept needs no waiting unless its last line has no LF: if it grows after all,
        // reading continues.
        guard settings.mode == .files, settings.after == .keep, file.scanned == file.offset else { return nil }
        file.growth = .settled
        return try readAll(file, open, room)
    }

    // MARK: events

    func announce(_ file: TrackedFile) -> SourceEvent {
        announced = file
        file.isAnswered = true
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.isFinished = false
                $0.isCommitted = false
            }
        }
        return .opened(file.origin(of: settings.name))
    }

    func handOut(_ file: TrackedFile, _ block: UnsafeRawBufferPointer) -> SourceEvent {
        file.advance(over: block)
        if let fingerprint = file.fingerprint { file.mark = fingerprint.hash(born: file.born) }
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.offset = file.offset
                $0.mark = file.mark
            }
        }
        return .bytes(block.count)
    }

    /// Reading failed for an unknown reason: the open line is read again from its start after a pause.
    private func fail(_ file: TrackedFile, _ why: CannotTell) {
        retry(file, why)
        if announced === file { announced = nil }
        file.unpacker = nil
        file.goBackToLine()
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.offset = file.offset
                $0.mark = file.mark
            }
            // A stale descriptor of a network file system can't be used any more.
            if why.number == ESTALE, file.path != nil { ledger.letGo(file.identity) }
        }
    }
}
