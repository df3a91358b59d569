import CFiles
import Diagnostics
import Glibc

extension FileSink {
    /// Recovers the files of the last run; called at the start, before anything is appended.
    ///
    /// Bytes behind a committed length that the journal proves to be the daemon's are cut off: their lines will be
    /// answered again. Other lines stay in the file. Bytes that may be a record, or a part of one, and aren't proven
    /// are set aside, so that nothing is destroyed and no answer is duplicated. `forms` gives the record format of each
    /// sink.
    ///
    /// Returns the valid lengths; those of files that no longer exist are left out. Problems never stop a start; they
    /// are passed to `report`.
    public static func recover(
        _ lengths: [SinkLength], keeping: SinkKeeping = SinkKeeping(),
        forms: (_ sink: String) -> SinkForm = { _ in .any },
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) -> [SinkLength] {
        // A file that was renamed to another sink's path may have two rows; since files only grow, the longer one is
        // newer.
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
                "the file of sink \(row.sink) with \(row.length) committed bytes is missing (rotated and "
                    + "compressed, deleted, or replaced by another, which is left unchanged); no action is needed",
                at: row.path))
        return nil
    }

    private mutating func find(_ row: SinkLength) -> CommittedFile.Search {
        switch CommittedFile.find(row, at: row.path) {
        case .other: break
        case let search: return search
        }
        // If the file was rotated while the daemon was down, it is in the same directory under another name.
        switch directories.paths(of: row.inode, in: DirectorySync.directory(of: row.path)) {
        case .failure(let error): return .unreadable(error)
        case .success(let paths):
            for path in paths where path != row.path && CommittedFile.mayBeRotated(path, from: row) {
                switch CommittedFile.find(row, at: path) {
                case .other: break
                case let search: return search
                }
            }
        }
        // If the file was copied or restored, perhaps with the state on another machine, its content identifies it.
        guard row.mark != 0, row.length > 0 else { return .other }
        return CommittedFile.find(row, at: row.path, anyInode: true)
    }

    private func settle(_ file: CommittedFile, _ old: SinkLength, _ form: SinkForm) -> SinkLength {
        if case .refused(let error) = SinkLock.take(file.descriptor, sink: old.sink, path: file.path) {
            // The bytes behind its committed length are another daemon's.
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
                        + "since the last run, or never synced to disk", at: file.path))
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

    /// The appends between two commits can't be longer.
    private static let longestTail: UInt64 = 1 << 30

    /// Handles the bytes behind the committed length. Returns the file's new length, or nil on failure.
    private func settleTail(_ file: CommittedFile, _ row: SinkLength, _ form: SinkForm) -> UInt64? {
        let count = file.size - row.length
        let journal = (keeping.journal?.entries ?? []).filter {
            $0.device == row.device && $0.inode == row.inode && $0.start >= row.length
        }
        // A clean stop leaves nothing uncommitted. Journal entries behind the committed length show that the state has
        // lost its last commits.
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

    /// Keeps `count` bytes that aren't the daemon's in place.
    private func leave(_ count: UInt64, _ file: CommittedFile, _ row: SinkLength) -> UInt64 {
        report(
            UnderstudyError(
                .inputOutput,
                "another program has appended \(count) bytes to the file of sink \(row.sink) since the daemon stopped; "
                    + "they stay", at: file.path))
        return file.size
    }

    /// Returns how many bytes stay behind the committed length.
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
            notes.append("\(unclear) that may be answers but can't be verified were moved to \(place)")
        }
        if foreign == 0 {
            try file.cut(to: row.length)
        } else if own + unclear > 0 {
            // The lines are moved within the file; a copy protects them against a power loss meanwhile.
            let pieces = tail.bytes(.foreign, of: bytes)
            let copy = try keeping.aside?.keep(pieces, of: row.sink)
            try file.replace(from: row.length, with: pieces)
            if let copy { unlink(copy) }
        }
        if own > 0 {
            notes.insert(
                "\(own) that the last run hadn't committed were cut off; their lines are answered again", at: 0)
        }
        if foreign > 0 { notes.append("\(foreign) belong to another program and stay") }
        report(
            UnderstudyError(
                .inputOutput,
                "of \(bytes.count) bytes after the \(row.length) committed ones in the file of sink \(row.sink), "
                    + notes.joined(separator: "; "), at: file.path))
        return foreign
    }
}

/// An open file that may be the one that an earlier run wrote to; it can be read and cut.
final class CommittedFile {
    enum Search {
        case found(CommittedFile)
        /// There is no file at the path, or another one.
        case other
        /// The file can't be examined, so it may be the one.
        case unreadable(UnderstudyError)
    }

    let path: String
    let status: understudy_status
    let descriptor: Int32

    var size: UInt64 { status.size }

    deinit { FileLock.release(closing: descriptor) }

    /// Opens the file at `path` if it is the file of `row`: it has the same inode or, if `anyInode`, the same content,
    /// since a copied or restored file has another inode.
    ///
    /// The device number alone may change when the machine restarts, so it isn't compared.
    static func find(_ row: SinkLength, at path: String, anyInode: Bool = false) -> Search {
        var status = stat()
        let missing = PatientCall.number { stat(path, &status) == 0 ? 0 : errno }
        guard missing == 0 else {
            return [ENOENT, ENOTDIR].contains(missing) ? .other : .unreadable(failure("examined", missing, path))
        }
        guard status.st_mode & S_IFMT == S_IFREG, anyInode || UInt64(status.st_ino) == row.inode else { return .other }
        let descriptor: Int32
        switch PatientCall.result({ open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }) {
        case .success(let opened): descriptor = opened
        case .failure(let why): return why.number == ENOENT ? .other : .unreadable(failure("opened", why.number, path))
        }
        var found = understudy_status()
        let number = PatientCall.number { understudy_status_of_descriptor(descriptor, &found) }
        let file = CommittedFile(path: path, status: found, descriptor: descriptor)
        guard number == 0 else { return .unreadable(failure("examined", number, path)) }
        guard anyInode || found.inode == row.inode else { return .other }
        return file.compare(row)
    }

    private init(path: String, status: understudy_status, descriptor: Int32) {
        self.path = path
        self.status = status
        self.descriptor = descriptor
    }

    /// Whether this is the file of `row`. Inodes are reused, so the birth time and the content decide: the bytes before
    /// the committed length have a mark. If these can't be compared, the inode must match.
    private func compare(_ row: SinkLength) -> Search {
        let isSameNode = status.inode == row.inode && (row.born == 0 || status.born == 0 || status.born == row.born)
        if size < row.length {
            // Another program has truncated it; then nothing is cut.
            return isSameNode && path == row.path ? .found(self) : .other
        }
        guard row.length > 0 else { return isSameNode ? .found(self) : .other }
        guard row.mark != 0 else {
            // The state is of a release that kept no mark: committed bytes are whole records, so they end in a newline.
            guard isSameNode else { return .other }
            if status.device == row.device, path == row.path { return .found(self) }
            guard let last = DescriptorBytes.read(descriptor, at: row.length - 1, count: 1) else {
                return .unreadable(Self.failure("read", errno, path))
            }
            return last == [UInt8(ascii: "\n")] ? .found(self) : .other
        }
        guard let mark = FileMark(of: descriptor, upTo: row.length) else {
            return .unreadable(Self.failure("read", errno, path))
        }
        return mark.hash(born: 0) == row.mark ? .found(self) : .other
    }

    /// Errors: `inputOutput`.
    func cut(to length: UInt64) throws(UnderstudyError) {
        let number = PatientCall.number {
            ftruncate(descriptor, off_t(length)) == 0 && fsync(descriptor) == 0 ? 0 : errno
        }
        guard number == 0 else { throw Self.failure("truncated to \(length) bytes", number, path) }
    }

    /// Overwrites the file from `start` on with `pieces` and truncates it behind them.
    ///
    /// Errors: `inputOutput`.
    func replace(from start: UInt64, with pieces: [[UInt8]]) throws(UnderstudyError) {
        var end = start
        for piece in pieces {
            var done = 0
            while done < piece.count {
                let written = piece.withUnsafeBytes { bytes in
                    PatientCall.result {
                        pwrite(
                            descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                            off_t(end) + off_t(done))
                    }
                }
                switch written {
                case .success(let count) where count > 0: done += count
                case .success: throw Self.failure("written to", ENOSPC, path)
                case .failure(let why): throw Self.failure("written to", why.number, path)
                }
            }
            end += UInt64(piece.count)
        }
        try cut(to: end)
    }

    /// Whether `path` may be a name that logrotate gave the file of `row`: logrotate keeps the name up to its extension
    /// (`answers.jsonl.1`, `answers.jsonl-20261125`, `answers-20261125.jsonl`). A compressed file is another file.
    static func mayBeRotated(_ path: String, from row: SinkLength) -> Bool {
        let packed = [".gz", ".zst", ".xz", ".bz2", ".lz4"]
        guard !packed.contains(where: path.hasSuffix) else { return false }
        // Other names are accepted if the content can identify the file.
        guard row.length == 0 else { return true }
        let slash = row.path.lastIndex(of: "/").map(row.path.index(after:)) ?? row.path.startIndex
        let dot = row.path[slash...].lastIndex(of: ".") ?? row.path.endIndex
        return path.hasPrefix(row.path[..<(dot > slash ? dot : row.path.endIndex)])
    }

    static func failure(_ what: String, _ number: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the file can't be \(what) (\(String(cString: strerror(number)))); lines at its end may be duplicated",
            at: path)
    }
}

/// Finds files by inode; reads each directory once.
struct DirectoryInodes {
    private var known: [String: Result<[UInt64: [String]], UnderstudyError>] = [:]

    /// The paths in `directory` whose inode is `inode`; none if there is no such directory.
    ///
    /// A failure if the directory, or one of its entries, can't be examined: the file may be there.
    mutating func paths(of inode: UInt64, in directory: String) -> Result<[String], UnderstudyError> {
        let inodes = known[directory] ?? Self.patientlyRead(directory)
        known[directory] = inodes
        return inodes.map { $0[inode] ?? [] }
    }

    private static func patientlyRead(_ directory: String) -> Result<[UInt64: [String]], UnderstudyError> {
        var found: [UInt64: [String]] = [:]
        let number = PatientCall.number { read(directory, &found) }
        return number == 0 ? .success(found) : .failure(failure(number, directory))
    }

    /// 0, or the errno.
    private static func read(
        _ directory: String, _ found: inout [UInt64: [String]]
    ) -> Int32 {
        guard let stream = opendir(directory) else { return errno == ENOENT || errno == ENOTDIR ? 0 : errno }
        defer { closedir(stream) }
        var inodes: [UInt64: [String]] = [:]
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let number = errno
                if number == 0 { found = inodes }
                return number
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
            var status = understudy_status()
            // The entry's own inode number isn't used: layered file systems may number it differently.
            let number = understudy_status_of_path(path, &status)
            if number == ENOENT { continue }
            guard number == 0 else { return number }
            if status.is_regular != 0 { inodes[status.inode, default: []].append(path) }
        }
    }

    private static func failure(_ number: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the directory can't be searched for rotated files (\(String(cString: strerror(number)))); lines at their "
                + "end may be duplicated", at: path)
    }
}
