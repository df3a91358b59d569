import Diagnostics
import Glibc

/// A FIFO that is open for reading and writing, so that it doesn't end when its last writer leaves (fifo(7)).
///
/// Whoever holds one closes its descriptor.
struct NamedPipe {
    let descriptor: Int32
    private let device: UInt64
    private let inode: UInt64

    /// Opens the FIFO at `path`; one that is missing is made with `permissions`, whatever the umask.
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

    /// A FIFO that somebody else has opened, such as systemd for `ListenFIFO=`; `inherited` itself stays as it is.
    ///
    /// Errors: `configuration` if it is no FIFO.
    init(inherited: Int32, path: String) throws(UnderstudyError) {
        var status = stat()
        guard fstat(inherited, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
            throw UnderstudyError(.configuration, "descriptor \(inherited) that was handed over is no FIFO", at: path)
        }
        // Opened anew, since the flags of `inherited` are shared with whoever else holds it.
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

    /// Whether this FIFO is what stands at `path`.
    ///
    /// Errors: `noPermission`, `inputOutput` where that can't be told.
    func stands(at path: String) throws(UnderstudyError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let reason = errno
            if [ENOENT, ENOTDIR].contains(reason) { return false }
            throw UnderstudyError(
                .reading(reason, else: .inputOutput),
                "can't tell whether the FIFO is still there: \(String(cString: strerror(reason)))", at: path)
        }
        return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    /// Gives this FIFO's other end up: the descriptor to go on with, which ends when the last writer has left.
    consuming func retired() -> Int32 {
        let reading = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        // Opened while there is a writer, ourselves, so poll will tell when there is none.
        // Without /proc it goes on as it is, and is held for longer than it need be.
        guard reading >= 0 else { return descriptor }
        close(descriptor)
        return reading
    }

    /// Lets a pipe hold 1 MiB, the most that Linux gives everybody, so that a burst takes fewer wake-ups. If it can't
    /// be had, nothing is lost.
    static func enlarge(_ descriptor: Int32) {
        let setPipeSize: Int32 = 1031  // F_SETPIPE_SZ of <linux/fcntl.h>, which Swift doesn't show
        _ = fcntl(descriptor, setPipeSize, 1 << 20)
    }

    private static func notMade(_ path: String, _ number: Int32) -> UnderstudyError {
        switch number {
        case ENOENT, ENOTDIR:
            UnderstudyError(
                .configuration, "the directory that the FIFO should be in doesn't exist; make it first", at: path)
        default:
            UnderstudyError(.cannotCreate, "the FIFO can't be made: \(String(cString: strerror(number)))", at: path)
        }
    }

    private static func refuseOthers(_ path: String) throws(UnderstudyError) {
        var status = stat()
        // `open` finds what has just gone or can't be looked at; it can't hang, since it isn't told to wait.
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
                .configuration, "a FIFO should be here, but it is \(kind); take it away or name another path", at: path)
        }
    }
}
