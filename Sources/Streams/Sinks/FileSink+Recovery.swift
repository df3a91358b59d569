import CFiles
import Diagnostics
import Glibc

extension FileSink {
    /// Takes up the files of the last run; called at the start, before anything is appended.
    ///
    /// What the journal proves that the daemon appended behind a committed length is cut off: its lines will be answered
    /// again. Other lines stay where they are. What may be a record, or a part of one, and isn't proven is set aside, so
    /// that nothing is destroyed and no answer is there twice. `forms` says what the records of a sink look like.
    ///
    /// Returns the lengths that hold: those of files that are gone are left out. Nothing here stops a start; what should
    /// be known about goes to `report`.
    public static func recover(
        _ lengths: [SinkLength], keeping: SinkKeeping = SinkKeeping(),
        forms: (_ sink: String) -> SinkForm = { _ in .any },
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) -> [SinkLength] {
        // A file that was renamed to another sink's path may have two rows; as files only grow, the longer is newer.
        var newest: [FileKey: SinkLength] = [:]
        for row in lengths where newest[FileKey(row)].map({ $0.length < row.length }) ?? true {
            newest[FileKey(row)] = row
        }
        var recovery = SinkRecovery(keeping: keeping, report: report)
        return lengths.compactMap { row in
            guard newest[FileKey(row)] == row else { return nil }
            newest[FileKey(row)] = nil
            return recovery.recover(row, forms(row.sink))
        }
    }

    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
        init(_ row: SinkLength) { (device, inode) = (row.device, row.inode) }
    }
}

private struct SinkRecovery {
    let keeping: SinkKeeping
    let report: (UnderstudyError) -> Void
    private var directories = DirectoryInodes()

    init(keeping: SinkKeeping, report: @escaping (UnderstudyError) -> Void) {
        self.keeping = keeping
        self.report = report
    }

    mutating func recover(_ row: SinkLength, _ form: SinkForm) -> SinkLength? {
        switch find(row) {
        case .found(let file): return settle(file, row, form)
        case .unreadable(let error):
            report(error)
            return row
        case .other: break
        }
        report(
            UnderstudyError(
                .missingInput,
                "the file of sink \(row.sink) with \(row.length) committed bytes is no longer there (rotated and "
                    + "compressed, deleted, or replaced by another, which is left as it is); nothing needs to be done",
                at: row.path))
        return nil
    }

    private mutating func find(_ row: SinkLength) -> CommittedFile.Search {
        switch CommittedFile.find(row, at: row.path) {
        case .other: break
        case let search: return search
        }
        // It was rotated while the daemon was down: a file of the same directory with another name.
        switch directories.paths(of: row.inode, in: SinkFileOpening.directory(of: row.path)) {
        case .failure(let error): return .unreadable(error)
        case .success(let paths):
            for path in paths where path != row.path && CommittedFile.mayBeRotated(path, from: row) {
                switch CommittedFile.find(row, at: path) {
                case .other: break
                case let search: return search
                }
            }
        }
        // It was copied or restored, perhaps with the state on another machine: the content tells.
        guard row.mark != 0, row.length > 0 else { return .other }
        return CommittedFile.find(row, at: row.path, anyInode: true)
    }

    private func settle(_ file: CommittedFile, _ old: SinkLength, _ form: SinkForm) -> SinkLength {
        if case .refused(let error) = SinkLock.take(file.descriptor, sink: old.sink, path: file.path) {
            // What is behind its committed length is another daemon's.
            report(error)
            return old
        }
        var row = old
        (row.path, row.device, row.inode) = (file.path, file.status.device, file.status.inode)
        row.born = file.status.born
        if file.size < row.length {
            report(
                UnderstudyError(
                    .inputOutput,
                    "the file of sink \(row.sink) has \(file.size) of \(row.length) committed bytes: it was truncated "
                        + "since the last run, or never forced to the disk", at: file.path))
            row.length = file.size
            takeTornRecord(file, &row)
        } else if file.size > row.length {
            guard let length = settleTail(file, old, form) else { return old }
            row.length = length
        }
        row.mark = FileMark(of: file.descriptor, upTo: row.length)?.hash(born: 0) ?? 0
        row.isSettled = true
        return row
    }

    private func takeTornRecord(_ file: CommittedFile, _ row: inout SinkLength) {
        guard let aside = keeping.aside, row.length > 0 else { return }
        guard let last = DescriptorBytes.read(file.descriptor, at: row.length - 1, count: 1) else {
            return report(CommittedFile.failure("read", errno, file.path))
        }
        guard last != [UInt8(ascii: "\n")] else { return }
        switch TornRecord.take(from: file.descriptor, size: row.length, of: row.sink, at: file.path, to: aside) {
        case .taken(let length, let note):
            report(note)
            row.length = length
        case .left(let note): report(note)
        }
    }

    /// More can't be what was appended between two commits.
    private static let longestTail: UInt64 = 1 << 30

    /// Deals with what is behind the committed length; the length of the file then, or nil where it can't be dealt with.
    private func settleTail(_ file: CommittedFile, _ row: SinkLength, _ form: SinkForm) -> UInt64? {
        let count = file.size - row.length
        let journal = (keeping.journal?.entries ?? []).filter {
            $0.device == row.device && $0.inode == row.inode && $0.start >= row.length
        }
        // A clean stop leaves nothing uncommitted. Entries of the journal behind it tell of a state that has lost its last
        // commits.
        guard count <= Self.longestTail, !row.isSettled || !journal.isEmpty else { return leave(count, file, row) }
        guard let bytes = DescriptorBytes.read(file.descriptor, at: row.length, count: Int(count)) else {
            report(CommittedFile.failure("read", errno, file.path))
            return nil
        }
        let tail = SinkTail(bytes, from: row.length, journal: journal, form: form)
        if row.isSettled, tail.count(.own) == 0 { return leave(count, file, row) }
        do throws(UnderstudyError) {
            return row.length + UInt64(try settle(tail, bytes, file, row))
        } catch {
            report(error)
            return nil
        }
    }

    /// Leaves `count` bytes that aren't the daemon's where they are.
    private func leave(_ count: UInt64, _ file: CommittedFile, _ row: SinkLength) -> UInt64 {
        report(
            UnderstudyError(
                .inputOutput,
                "another program has appended \(count) bytes to the file of sink \(row.sink) since the daemon stopped; "
                    + "they stay", at: file.path))
        return file.size
    }

    /// How many bytes stay behind the committed length.
    private func settle(
        _ tail: SinkTail, _ bytes: [UInt8], _ file: CommittedFile, _ row: SinkLength
    ) throws(UnderstudyError) -> Int {
        let (own, foreign, unclear) = (tail.count(.own), tail.count(.foreign), tail.count(.unclear))
        var notes: [String] = []
        if unclear > 0 {
            guard let aside = keeping.aside else {
                throw CommittedFile.failure("sorted without a place to set aside", EINVAL, file.path)
            }
            let place = try aside.keep(tail.bytes(.unclear, of: bytes), of: row.sink)
            notes.append("\(unclear) that may be answers and can't be proven to be were moved to \(place)")
        }
        if foreign == 0 {
            try file.cut(to: row.length)
        } else if own + unclear > 0 {
            // They are moved within the file; a power loss meanwhile must not take them.
            let pieces = tail.bytes(.foreign, of: bytes)
            let copy = try keeping.aside?.keep(pieces, of: row.sink)
            try file.replace(from: row.length, with: pieces)
            if let copy { unlink(copy) }
        }
        if own > 0 {
            notes.insert("\(own) that the last run hadn't committed were cut off, and are answered again", at: 0)
        }
        if foreign > 0 { notes.append("\(foreign) are another program's lines and stay") }
        report(
            UnderstudyError(
                .inputOutput,
                "of \(bytes.count) bytes behind the \(row.length) committed ones of the file of sink \(row.sink), "
                    + notes.joined(separator: "; "), at: file.path))
        return foreign
    }
}
