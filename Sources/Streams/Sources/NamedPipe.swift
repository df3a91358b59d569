import Diagnostics
import Glibc

/// A FIFO that is open for reading and writing, so that it doesn't end when its last writer closes it (fifo(7)).
///
/// The owner closes its descriptor.
struct NamedPipe {
    let descriptor: Int32
    private let device: UInt64
    private let inode: UInt64

    /// Opens the FIFO at `path`; a missing one is created with `permissions`, regardless of the umask.
    ///
    /// Errors: `configuration` if something else is there or the directory is missing; `cannotCreate`, `missingInput`.
    init(at path: String, permissions: UInt32) throws(UnderstudyError) {
        let made = mkfifo(path, 0o600) == 0
        if !made, errno != EEXIST { throw Self.notMade(path, errno) }
        try Self.refuseOthers(path)
        let descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno
            let why = String(cString: strerror(reason))
            throw UnderstudyError(
                .reading(reason, else: .missingInput), "the FIFO can't be opened for reading and writing: \(why)",
                at: path)
        }
        if made { fchmod(descriptor, permissions) }
        self.init(descriptor)
    }

    /// A FIFO that another process has opened, such as systemd for `ListenFIFO=`; `inherited` itself is not changed.
    ///
    /// Errors: `configuration` if it is not a FIFO.
    init(inherited: Int32, path: String) throws(UnderstudyError) {
        var status = stat()
        guard fstat(inherited, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            throw UnderstudyError(.configuration, "the inherited descriptor \(inherited) isn't a FIFO", at: path)
        }
        // Reopened, since the flags of `inherited` are shared with its other holders.
        let descriptor = open("/proc/self/fd/\(inherited)", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let why = String(cString: strerror(errno))
            throw UnderstudyError(
                .missingInput, "descriptor \(inherited) can't be opened for reading and writing: \(why)", at: path)
        }
        self.init(descriptor)
    }

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        fstat(descriptor, &status)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        Self.enlarge(descriptor)
    }

    /// Whether this FIFO is the file at `path`.
    ///
    /// Errors: `noPermission`, `inputOutput` if that can't be determined.
    func stands(at path: String) throws(UnderstudyError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let reason = errno
            if [ENOENT, ENOTDIR].contains(reason) { return false }
            throw UnderstudyError(
                .reading(reason, else: .inputOutput),
                "can't tell whether the FIFO still exists: \(String(cString: strerror(reason)))", at: path)
        }
        return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    /// Closes this FIFO's write end. Returns the descriptor to read from, which ends when the last writer has closed
    /// the FIFO.
    consuming func retired() -> Int32 {
        let reading = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        // Opened while this process is still a writer, so that poll reports the last close. Without /proc the old
        // descriptor is kept, and stays open for longer than necessary.
        guard reading >= 0 else { return descriptor }
        close(descriptor)
        return reading
    }

    /// Sets a pipe's capacity to 1 MiB, the most that Linux allows unprivileged processes, so that a burst takes fewer
    /// wake-ups. A failure is harmless.
    static func enlarge(_ descriptor: Int32) {
        let setPipeSize: Int32 = 1031  // F_SETPIPE_SZ of <linux/fcntl.h>, which Swift doesn't import
        _ = fcntl(descriptor, setPipeSize, 1 << 20)
    }

    private static func notMade(_ path: String, _ number: Int32) -> UnderstudyError {
        switch number {
        case ENOENT, ENOTDIR:
            UnderstudyError(
                .configuration, "the FIFO's directory doesn't exist; create it first", at: path)
        default:
            UnderstudyError(.cannotCreate, "the FIFO can't be created: \(String(cString: strerror(number)))", at: path)
        }
    }

    private static func refuseOthers(_ path: String) throws(UnderstudyError) {
        var status = stat()
        // A path that doesn't exist or can't be examined is left to `open`, which is non-blocking and so can't hang.
        guard stat(path, &status) == 0 else { return }
        let kind =
            switch status.st_mode & S_IFMT {
            case S_IFIFO: ""
            case S_IFREG: "a regular file"
            case S_IFDIR: "a directory"
            case S_IFSOCK: "a socket"
            case S_IFBLK, S_IFCHR: "a device"
            default: "something else"
            }
        guard kind.isEmpty else {
            throw UnderstudyError(
                .configuration, "this must be a FIFO, but it is \(kind); remove it or set another path", at: path)
        }
    }
}

/// A source whose bytes come from a pipe and can be moved without being read into memory, so that they aren't lost if
/// the process is killed in between.
protocol PipeSource: StreamSource {
    /// Whether it really is a pipe.
    var isPipe: Bool { get }

    /// Waits until a pipe is readable or has ended, and calls `move` with its descriptor to take the bytes. Used
    /// instead of `read`, by the same thread.
    func take(_ move: (Int32) -> PipeMove) throws(UnderstudyError) -> PipeEvent
}

/// The outcome of an attempt to take bytes from a pipe.
enum PipeMove {
    /// The number of bytes, at least one; whether the last of them is LF.
    case bytes(Int, endInLine: Bool)
    /// The pipe is empty and has no writers.
    case ended
    /// The pipe was empty, or a signal interrupted the call: try again.
    case again
    /// Nothing was taken; the mover has the reason.
    case failed
}

enum PipeEvent {
    case bytes(Int)
    /// One of several pipes has ended within a line, which will never be completed.
    case lineLeftOpen
    case end
    case stopped
    case failed
}
