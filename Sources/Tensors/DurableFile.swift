import Diagnostics
import Glibc

/// Writes a file so that its path always has either the old content or the complete new one, even after a crash.
///
/// Bytes are written to a hidden file beside the target; `commit` syncs it to the disk, renames it, and syncs the
/// directory. If the value is dropped without `commit`, the hidden file is removed.
public struct DurableFile: ~Copyable {
    public let path: String
    private let hiddenPath: String
    private var descriptor: Int32
    private var isCommitted = false

    /// Starts a file that will replace `path`, with permission 0644.
    ///
    /// Errors: `cannotCreate`.
    public init(replacing path: String) throws(UnderstudyError) {
        self.path = path
        let directory = Self.directory(of: path)
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        hiddenPath = "\(directory)/.\(name).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).partial"
        descriptor = open(hiddenPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw UnderstudyError(
                .cannotCreate, "the file can't be created: \(String(cString: strerror(errno)))", at: path)
        }
        // The umask must not determine whether a service's user can read the file.
        fchmod(descriptor, 0o644)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted { unlink(hiddenPath) }
    }

    /// Errors: `inputOutput`, e.g. if the disk is full.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(UnderstudyError) {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("written")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    public func write(_ bytes: [UInt8]) throws(UnderstudyError) {
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(UnderstudyError) in try write(bytes) }
        }
        try outcome.get()
    }

    /// Makes the content visible and durable.
    public consuming func commit() throws(UnderstudyError) {
        guard fsync(descriptor) == 0 else { throw failure("synced to disk") }
        guard rename(hiddenPath, path) == 0 else { throw failure("renamed into place") }
        isCommitted = true
        try Self.synchroniseDirectory(Self.directory(of: path))
    }

    private func failure(_ what: String) -> UnderstudyError {
        UnderstudyError(.inputOutput, "the file can't be \(what): \(String(cString: strerror(errno)))", at: path)
    }

    /// The directory that holds `path`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Syncs a directory's entries to the disk, so that a rename in it survives a power loss.
    public static func synchroniseDirectory(_ directory: String) throws(UnderstudyError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UnderstudyError(
                .inputOutput, "the directory can't be opened: \(String(cString: strerror(errno)))", at: directory)
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw UnderstudyError(
                .inputOutput, "the directory can't be synced to disk: \(String(cString: strerror(errno)))",
                at: directory)
        }
    }
}
