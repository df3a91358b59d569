import Diagnostics
import Glibc

/// An open file that a run before this one has written to.
final class CommittedFile {
    enum Search {
        case found(CommittedFile)
        /// There is nothing at the path, or another file.
        case other
        /// What is there can't be looked at, so it may be the file.
        case unreadable(UnderstudyError)
    }

    let path: String
    let device: UInt64
    let size: UInt64
    private let descriptor: Int32

    deinit { close(descriptor) }

    /// Opens what is at `path` if it is the file of `row`.
    ///
    /// The inode tells. The device number alone may change from one start of the machine to the next.
    static func find(_ row: SinkLength, at path: String) -> Search {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .other : .unreadable(failure("looked at", path))
        }
        guard status.st_mode & S_IFMT == S_IFREG, UInt64(status.st_ino) == row.inode else { return .other }
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            return errno == ENOENT ? .other : .unreadable(failure("opened to cut it back", path))
        }
        guard fstat(descriptor, &status) == 0, UInt64(status.st_ino) == row.inode else {
            close(descriptor)
            return .other
        }
        return .found(
            CommittedFile(
                path: path, device: UInt64(status.st_dev), size: UInt64(max(0, status.st_size)),
                descriptor: descriptor))
    }

    private init(path: String, device: UInt64, size: UInt64, descriptor: Int32) {
        self.path = path
        self.device = device
        self.size = size
        self.descriptor = descriptor
    }

    /// Whether this, found under another name or device number, can be what was committed: inodes are used again, and
    /// cutting somebody else's file would destroy it. Committed bytes are whole records, so they end in a newline.
    func fits(_ row: SinkLength) -> Bool {
        guard size >= row.length else { return false }
        guard row.length > 0 else { return true }
        var last: UInt8 = 0
        return pread(descriptor, &last, 1, off_t(row.length - 1)) == 1 && last == UInt8(ascii: "\n")
    }

    /// Errors: `inputOutput`.
    func cut(to length: UInt64) throws(UnderstudyError) {
        guard ftruncate(descriptor, off_t(length)) == 0, fsync(descriptor) == 0 else {
            throw Self.failure("cut back to its \(length) committed bytes", path)
        }
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

    private static func failure(_ what: String, _ path: String) -> UnderstudyError {
        let reason = String(cString: strerror(errno))
        return UnderstudyError(
            .inputOutput, "the file can't be \(what) (\(reason)); lines at its end may stand there twice", at: path)
    }
}
