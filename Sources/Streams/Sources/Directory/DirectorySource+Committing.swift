import Diagnostics
import Glibc

/// The committer's side.
extension DirectorySource {
    /// How often in a row a checkpoint may fail before the commit goes on without it: with the committer's pauses, more
    /// than a minute.
    private static let mostFailures = 20

    public func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint? {
        guard let file = position.origin.file, let entry = ledger.withLock({ $0.entries[file] }) else { return nil }
        var position = position
        if position.offset < entry.resumed {
            // The earlier run had got further; what it passed over and isn't answered yet stays so.
            let open = position.origin.unanswered.drop { $0 < position.offset }
            position.unanswered = Set(position.unanswered).union(open).sorted()
            position.offset = entry.resumed
            position.line = entry.resumedLine
        }
        let isAtEnd = position.offset == entry.offset
        let found: UInt64?
        do throws(CannotTell) {
            found = entry.isArchive || isAtEnd ? entry.mark : try mark(before: position.offset, of: entry)
            if entry.failures > 0 { ledger.withLock { $0.update(file) { $0.failures = 0 } } }
        } catch {
            // Without its checkpoint the file would be answered again after a crash, so the commit waits for it; one
            // file that can't be read any more must not hold up all others for ever, though.
            ledger.withLock { $0.update(file) { $0.failures += 1 } }
            let failure = UnderstudyError(
                .inputOutput, "the file can't be read, so that its position can't be kept: \(error.reason)",
                at: position.origin.path)
            guard entry.failures >= Self.mostFailures else { throw failure }
            report(failure)
            return nil
        }
        guard let mark = found else { return nil }
        return FileCheckpoint(
            source: name, path: settings.mode == .tail ? entry.followedAs : entry.path ?? position.origin.path,
            file: file, offset: position.offset, line: position.line,
            // What was the end once isn't any more if the file has grown.
            isFinished: position.isFinished && entry.isFinished && isAtEnd, unanswered: position.unanswered,
            mark: mark, size: entry.size, modified: entry.modified)
    }

    public func committed(_ position: SourcePosition) {
        guard let file = position.origin.file else { return }
        ledger.withLock { $0.release(file) }
        guard position.isFinished, position.unanswered.isEmpty else { return }
        let entry = ledger.withLock { ledger -> FileLedger.Entry? in
            guard let entry = ledger.entries[file], entry.isFinished, position.offset == entry.offset else {
                return nil
            }
            ledger.markCommitted(file)
            return entry.isGone ? nil : entry
        }
        guard let entry, let path = entry.path else { return }
        switch FileDisposal(settings, calls).clear(path, node: entry.node, size: entry.size, report: report) {
        case .cleared: ledger.withLock { $0.forget(file) }
        case .kept: break
        case .failed:
            // The reader tries again.
            ledger.withLock { $0.noteUndisposed(file) }
            wakeReader()
        }
    }

    /// A file must be gone from the disk before its checkpoint is: else a power cut brings back a file of which nothing
    /// is known, and it is answered again. So the directories are forced to the disk first.
    public func takeForgotten() -> [FileIdentity] {
        let (files, directories) = ledger.withLock { $0.takeForgotten() }
        guard !files.isEmpty else { return [] }
        for directory in directories.union([settings.path]) {
            switch calls.synchronise(directory) {
            // It is there no more, or its file system or permissions don't let it be forced.
            case 0, ENOENT, ENOTDIR, EINVAL, EROFS, EACCES, EPERM: continue
            default:
                // The next commit tries again.
                ledger.withLock { $0.putBack(files, directories) }
                return []
            }
        }
        return files
    }

    /// The mark of an earlier place than the one read up to; nil if the file is gone.
    private func mark(before offset: UInt64, of entry: FileLedger.Entry) throws(CannotTell) -> UInt64? {
        var held = entry.open
        if held == nil { held = try reopen(entry) }
        guard let open = held, let earlier = try FileMark(open, upTo: offset)?.hash(born: entry.born) else {
            return nil
        }
        // If the file has been begun anew since, no later run may take its new content for the old.
        let isSame = try FileMark(open, upTo: entry.offset)?.matches(entry.mark, born: entry.born) ?? false
        return isSame ? earlier : ~earlier
    }

    private func reopen(_ entry: FileLedger.Entry) throws(CannotTell) -> OpenFile? {
        guard let path = entry.path else { return nil }
        let descriptor = calls.open(path)
        guard descriptor >= 0 else {
            switch errno {
            // The permission was taken away: the file counts as gone until it is given back.
            case ENOENT, ENOTDIR, ELOOP, EACCES, EPERM: return nil
            case let number: throw CannotTell(number: number)
            }
        }
        let file = OpenFile(descriptor, calls)
        let status = try FileStatus(file)
        return status.node == entry.node && status.born == entry.born ? file : nil
    }
}
