import Diagnostics
import Glibc

/// The committer's side.
extension DirectorySource {
    public func checkpoint(_ position: SourcePosition) -> FileCheckpoint? {
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
        guard let mark = entry.isArchive || isAtEnd ? entry.mark : mark(before: position.offset, of: entry) else {
            return nil
        }
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
        let disposal = FileDisposal(settings)
        if disposal.clear(path, node: entry.node, size: entry.size, report: report) {
            ledger.withLock { $0.forget(file) }
        }
    }

    public func takeForgotten() -> [FileIdentity] {
        ledger.withLock { $0.takeForgotten() }
    }

    /// The mark of an earlier place than the one read up to; nil if the file can't be reached any more.
    private func mark(before offset: UInt64, of entry: FileLedger.Entry) -> UInt64? {
        guard let open = entry.open ?? entry.path.flatMap({ Self.reopen($0, entry) }) else { return nil }
        guard let earlier = FileMark(open, upTo: offset)?.hash(born: entry.born) else { return nil }
        // If the file has been begun anew since, no later run may take its new content for the old.
        let isSame = FileMark(open, upTo: entry.offset)?.matches(entry.mark, born: entry.born) ?? false
        return isSame ? earlier : ~earlier
    }

    private static func reopen(_ path: String, _ entry: FileLedger.Entry) -> OpenFile? {
        let descriptor = DirectoryCalls().open(path)
        guard descriptor >= 0 else { return nil }
        let file = OpenFile(descriptor)
        guard let status = FileStatus(descriptor: descriptor), status.node == entry.node, status.born == entry.born
        else { return nil }
        return file
    }
}
