import Diagnostics
import Glibc

/// What the turn of a file has come to.
enum TurnOutcome {
    /// There is nothing to read now.
    case nothing
    case event(SourceEvent)
    /// With this event everything that may be handed out now has been: growing files yield to others then.
    case lastEvent(SourceEvent)
    /// The content that was read before has changed: the inode begins anew.
    case changed(FileStatus)
}

/// Reads an open plain file block by block: a settled one to its end, a growing one up to its last line feed.
final class FileReader {
    private let settings: DirectorySource.Settings
    private let settleNanoseconds: UInt64
    private let output: FileOutput
    private let reports: DirectoryReports

    init(
        _ settings: DirectorySource.Settings, limits: DirectoryLimits, output: FileOutput, reports: DirectoryReports
    ) {
        self.settings = settings
        settleNanoseconds = limits.settleNanoseconds
        self.output = output
        self.reports = reports
    }

    func read(
        _ file: TrackedFile, _ open: OpenFile, into room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> TurnOutcome {
        file.isSettled ? try readAll(file, open, room) : try readLines(file, open, room)
    }

    // MARK: to the end

    private func readAll(
        _ file: TrackedFile, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> TurnOutcome {
        while true {
            guard output.isOpen(file) || file.isInHole else { return .event(output.announce(file)) }
            let count = try readUnits(file, open, room)
            guard count > 0 else { break }
            let most = try beforeHole(file, open, UnsafeRawBufferPointer(rebasing: room[..<count]))
            if most > 0 {
                guard output.isOpen(file) else { return .event(output.announce(file)) }
                return .event(output.handOut(file, UnsafeRawBufferPointer(rebasing: room[..<most])))
            }
            if output.isInterrupted { return .event(.stopped) }
        }
        file.isInHole = false
        guard output.isOpen(file) else { return .event(output.announce(file)) }
        let status = try FileStatus(open)
        guard try file.isSame(open, status) else { return .changed(status) }
        return .event(try output.finish(file, open, status))
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

    // MARK: whole lines

    private func readLines(
        _ file: TrackedFile, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> TurnOutcome {
        if file.startsAtEnd {
            file.startsAtEnd = false
            if !output.isOpen(file) { return .event(output.announce(file)) }
        }
        while true {
            if file.wholeUpTo > file.offset {
                guard output.isOpen(file) || file.isInHole else { return .event(output.announce(file)) }
                let wanted = Int(min(UInt64(room.count), file.wholeUpTo - file.offset))
                let count = try readUnits(file, open, UnsafeMutableRawBufferPointer(rebasing: room[..<wanted]))
                if let status = try changedStatus(file, open) { return .changed(status) }
                guard count > 0 else { return .nothing }
                let most = try beforeHole(file, open, UnsafeRawBufferPointer(rebasing: room[..<count]))
                if most == 0 {
                    if output.isInterrupted { return .event(.stopped) }
                    continue
                }
                guard output.isOpen(file) else { return .event(output.announce(file)) }
                return handOutLines(file, UnsafeRawBufferPointer(rebasing: room[..<most]))
            }
            if let status = try changedStatus(file, open) { return .changed(status) }
            let status = try FileStatus(open)
            guard status.size > file.scanned else { return try idle(file, status, open, room) }
            guard output.isOpen(file) else { return .event(output.announce(file)) }
            // A long unfinished line is not read repeatedly.
            let isShort = file.scanned - file.offset < UInt64(room.count / 2)
            // The last byte may be the first half of a line feed.
            let start = isShort ? file.offset : file.unit == .byte ? file.scanned : file.scanned & ~1
            let count = try open.read(into: room, at: start)
            if let status = try changedStatus(file, open) { return .changed(status) }
            guard count > 0 else { return .nothing }
            giveTime(file, start + UInt64(count))
            let block = UnsafeRawBufferPointer(rebasing: room[..<count])
            let whole = LineFeeds.endOfLast(block, file.unit, at: start)
            file.scanned = max(file.scanned, start + UInt64(count))
            if whole == 0 {
                // The size of a file with a hole doesn't tell how much there is to read.
                if HoleSearch.isHole(block) {
                    file.scanned = max(file.scanned, open.nextData(from: file.scanned, end: status.size))
                }
                continue
            }
            // Set first: lines that follow a hole in this block are handed out from here on.
            file.wholeUpTo = start + UInt64(whole)
            guard isShort else { continue }
            let most = try beforeHole(file, open, UnsafeRawBufferPointer(rebasing: room[..<whole]))
            guard most > 0 else { continue }
            return handOutLines(file, UnsafeRawBufferPointer(rebasing: room[..<most]))
        }
    }

    private func handOutLines(_ file: TrackedFile, _ block: UnsafeRawBufferPointer) -> TurnOutcome {
        let event = output.handOut(file, block)
        return file.wholeUpTo == file.offset ? .lastEvent(event) : .event(event)
    }

    /// The file's status, if the bytes read before have changed, so that the new ones don't continue them.
    private func changedStatus(_ file: TrackedFile, _ open: OpenFile) throws(CannotTell) -> FileStatus? {
        let status = try FileStatus(open)
        guard try file.unchanged(open, status) != nil else { return status }
        // The writer may have removed an unfinished line.
        if status.size < file.scanned { file.forgetUnfinishedLine() }
        return nil
    }

    /// A file that may lose its writer gets more time while it grows.
    private func giveTime(_ file: TrackedFile, _ end: UInt64) {
        guard case .settling = file.growth, end > file.scanned else { return }
        file.growth = .settling(until: Monotonic.nanoseconds + settleNanoseconds)
    }

    /// Handles a file without more data for now.
    private func idle(
        _ file: TrackedFile, _ status: FileStatus, _ open: OpenFile, _ room: UnsafeMutableRawBufferPointer
    ) throws(CannotTell) -> TurnOutcome {
        file.note(status)
        output.noteSize(file)
        // A file that is read once and kept needs no waiting unless its last line has no LF: if it grows after all,
        // reading continues.
        guard settings.mode == .files, settings.after == .keep, file.scanned == file.offset else { return .nothing }
        file.growth = .settled
        return try readAll(file, open, room)
    }

    // MARK: holes

    /// Returns how many bytes of a block can be handed out before a hole; 0 if the block began with a hole, which has
    /// been skipped. The block begins at the file's offset and isn't empty; a hole in it is followed by a line or by
    /// nothing.
    private func beforeHole(
        _ file: TrackedFile, _ open: OpenFile, _ block: UnsafeRawBufferPointer
    ) throws(CannotTell) -> Int {
        let beginning = HoleSearch.beginning(
            of: block, file.unit, at: file.offset, isLineStart: file.offset == file.lineStart, isInHole: file.isInHole)
        switch beginning {
        case .data(let count):
            file.isInHole = false
            return count
        case .hole(let count):
            try passHole(file, open, count, isWholeBlock: count == block.count)
            return 0
        }
    }

    private func passHole(_ file: TrackedFile, _ open: OpenFile, _ count: Int, isWholeBlock: Bool) throws(CannotTell) {
        var end = file.offset + UInt64(count)
        // Unwritten ranges aren't read: gigabytes of hole take no longer than a few bytes.
        if isWholeBlock { end = open.nextData(from: end, end: max(end, try FileStatus(open).size)) }
        // If the file was truncated meanwhile, it is examined again.
        guard let found = try FileMark(open, upTo: end) else { throw CannotTell(number: EAGAIN) }
        if !file.isHoleReported {
            file.isHoleReported = true
            reports.always(
                UnderstudyError(
                    .invalidData,
                    "a hole of NUL bytes is skipped: the file was truncated while its writer kept its old position",
                    at: "\(file.lastPath):byte \(file.offset)"))
        }
        file.passHole(to: end, found)
        // The data behind the hole is announced as another stretch of the same file.
        output.close(file)
        output.noteOffset(file)
    }
}
