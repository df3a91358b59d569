import Diagnostics
import Glibc

/// A regular file mapped read-only into memory.
///
/// If the file is truncated, an access to the lost part raises SIGBUS. This program publishes model files by renaming
/// and never writes them in place, so only another program can cause that; `withBytes` checks the file's size before
/// each use and refuses a changed file, which leaves only the time between the check and the copy. A file in use can be
/// replaced by a rename: the mapping keeps the old one.
///
/// `@unchecked Sendable`: the mapping is read-only, the pointer never changes, and only `deinit` unmaps it.
public final class MappedFile: @unchecked Sendable {
    public let path: String
    public let count: Int
    private let start: UnsafeRawPointer?
    private let descriptor: Int32

    /// Maps the file at `path`.
    ///
    /// Errors: `missingInput` if it doesn't exist, can't be opened or is not a regular file; `noPermission`.
    public init(path: String) throws(UnderstudyError) {
        self.path = path
        // Without O_NONBLOCK, opening a FIFO without a writer would block.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno
            throw UnderstudyError(
                .reading(reason, else: .missingInput),
                reason == ENOENT ? "no such file" : "the file can't be opened: \(text(of: reason))", at: path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw UnderstudyError(.missingInput, "this is not a regular file", at: path)
        }
        count = Int(status.st_size)
        guard count > 0 else {
            start = nil
            return
        }
        guard let mapping = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapping != MAP_FAILED else {
            let reason = errno
            close(descriptor)
            throw UnderstudyError(.inputOutput, "the file can't be mapped: \(text(of: reason))", at: path)
        }
        start = UnsafeRawPointer(mapping)
    }

    deinit {
        if let start { munmap(UnsafeMutableRawPointer(mutating: start), count) }
        close(descriptor)
    }

    /// Calls `body` with the file's bytes; they must not be kept.
    ///
    /// Errors: `inputOutput` if the file's size changed since it was mapped, and those that `body` throws.
    public func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(UnderstudyError) -> Result
    ) throws(UnderstudyError) -> Result {
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int(status.st_size) == count else {
            throw UnderstudyError(
                .inputOutput, "the file changed while it was read; replace model files by renaming", at: path)
        }
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }
}

private func text(of code: Int32) -> String { String(cString: strerror(code)) }
