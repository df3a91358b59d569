import CFiles
import Diagnostics
import Glibc

/// A file that may be the one that a run before this one has written to, open to look at it and to cut it.
final class CommittedFile {
    enum Search {
        case found(CommittedFile)
        /// There is nothing at the path, or another file.
        case other
        /// What is there can't be looked at, so it may be the file.
        case unreadable(UnderstudyError)
    }

    let path: String
    let status: understudy_status
    let descriptor: Int32

    var size: UInt64 { status.size }

    deinit { FileLock.release(closing: descriptor) }

    /// Opens what is at `path` if it is the file of `row`: with the same inode, or with the same content where
    /// `anyInode` says so, since a file that was copied or restored has another.
    ///
    /// The device number alone may change from one start of the machine to the next, so it isn't compared.
    static func find(_ row: SinkLength, at path: String, anyInode: Bool = false) -> Search {
        var status = stat()
        let missing = PatientCall.number { stat(path, &status) == 0 ? 0 : errno }
        guard missing == 0 else {
            return [ENOENT, ENOTDIR].contains(missing) ? .other : .unreadable(failure("looked at", missing, path))
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
        guard number == 0 else { return .unreadable(failure("looked at", number, path)) }
        guard anyInode || found.inode == row.inode else { return .other }
        return file.compare(row)
    }

    private init(path: String, status: understudy_status, descriptor: Int32) {
        self.path = path
        self.status = status
        self.descriptor = descriptor
    }

    /// Whether this is the file of `row`. Inodes are used again, so the birth time and the content decide: the bytes
    /// before the committed length have a mark. Where that can't be compared, the file must at least have the inode.
    private func compare(_ row: SinkLength) -> Search {
        let isSameNode = status.inode == row.inode && (row.born == 0 || status.born == 0 || status.born == row.born)
        if size < row.length {
            // Another program has truncated it; nothing is cut then.
            return isSameNode && path == row.path ? .found(self) : .other
        }
        guard row.length > 0 else { return isSameNode ? .found(self) : .other }
        guard row.mark != 0 else {
            // A state of a release that kept no mark: committed bytes are whole records, so they end in a newline.
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
        guard number == 0 else { throw Self.failure("cut back to \(length) bytes", number, path) }
    }

    /// Puts `pieces` where the file has other bytes now, from `start` on, and ends it behind them.
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

    /// Whether logrotate may have given the file of `row` this path: it keeps the name up to its extension
    /// (`answers.jsonl.1`, `answers.jsonl-20261125`, `answers-20261125.jsonl`), and what is packed is another file.
    static func mayBeRotated(_ path: String, from row: SinkLength) -> Bool {
        let packed = [".gz", ".zst", ".xz", ".bz2", ".lz4"]
        guard !packed.contains(where: path.hasSuffix) else { return false }
        // Other names are believed when there is a content to know the file by.
        guard row.length == 0 else { return true }
        let slash = row.path.lastIndex(of: "/").map(row.path.index(after:)) ?? row.path.startIndex
        let dot = row.path[slash...].lastIndex(of: ".") ?? row.path.endIndex
        return path.hasPrefix(row.path[..<(dot > slash ? dot : row.path.endIndex)])
    }

    static func failure(_ what: String, _ number: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the file can't be \(what) (\(String(cString: strerror(number)))); lines at its end may be there twice",
            at: path)
    }
}
