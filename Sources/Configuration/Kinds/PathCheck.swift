import Glibc

/// Checks whether this user may use a path as the daemon will. It changes nothing.
package struct PathCheck {
    package private(set) var findings: [Finding] = []

    package init() {}

    private enum Kind {
        case missing
        case unreachable(String)
        case file, directory, pipe, socket, other
    }

    /// Checks a file that is appended to or created.
    package mutating func appends(_ path: String) {
        switch kind(of: path) {
        case .missing: makes(path)
        case .file: if access(path, W_OK) != 0 { add(.error, path, "can't be written to: \(reason())") }
        case .unreachable(let why): add(.error, path, "can't be reached: \(why)")
        default: add(.error, path, "isn't a regular file; a file sink needs one")
        }
        room(parent(of: path))
    }

    /// Checks a named pipe that is opened or created.
    package mutating func pipes(_ path: String, mode: Int32) {
        switch kind(of: path) {
        case .missing: makes(path)
        case .pipe: if access(path, mode) != 0 { add(.error, path, "can't be opened: \(reason())") }
        case .unreachable(let why): add(.error, path, "can't be reached: \(why)")
        default: add(.error, path, "isn't a FIFO; remove it and the daemon creates one, or choose another path")
        }
    }

    /// Checks a Unix socket on which another process listens.
    package mutating func connects(_ path: String) {
        switch kind(of: path) {
        case .missing: add(.warning, path, "doesn't exist yet; answers wait until a process listens")
        case .socket: if access(path, W_OK) != 0 { add(.error, path, "can't be connected to: \(reason())") }
        case .unreachable(let why): add(.error, path, "can't be reached: \(why)")
        default: add(.error, path, "isn't a socket")
        }
    }

    /// Checks a Unix socket that is created and listened on.
    package mutating func listens(_ path: String) {
        switch kind(of: path) {
        case .missing, .socket: makes(path)
        case .unreachable(let why): add(.error, path, "can't be reached: \(why)")
        default: add(.error, path, "isn't a socket; remove it, or choose another address under http.listen")
        }
    }

    /// Checks a directory whose files are read, and changed if `writes`.
    package mutating func reads(directory path: String, writes: Bool) {
        switch kind(of: path) {
        case .missing:
            if let maker = maker(of: path) { return add(.note, path, notYet(maker)) }
            add(.error, path, "there is no such directory; create it, or correct the path")
        case .directory:
            if access(path, R_OK | X_OK) != 0 { add(.error, path, "can't be read: \(reason())") }
            if writes, access(path, W_OK) != 0 {
                add(.error, path, "files can't be moved or deleted there: \(reason())")
            }
        case .unreachable(let why): add(.error, path, "can't be reached: \(why)")
        default: add(.error, path, "isn't a directory")
        }
    }

    /// Checks a directory that is written to or created; with `withParents` its parents are created as well.
    package mutating func keeps(directory path: String, withParents: Bool = false) {
        switch kind(of: path) {
        case .missing: makes(path, withParents: withParents)
        case .directory: if access(path, R_OK | W_OK | X_OK) != 0 { add(.error, path, "can't be used: \(reason())") }
        case .unreachable(let why): add(.error, path, "can't be reached: \(why)")
        default: add(.error, path, "isn't a directory")
        }
        room(path)
    }

    /// Checks a file that is read.
    package mutating func reads(file path: String) {
        if access(path, R_OK) != 0 {
            add(.error, path, "can't be read: \(reason())")
        }
    }

    package mutating func add(_ severity: Finding.Severity, _ place: String, _ message: String) {
        findings.append(Finding(severity, place, message))
    }

    private mutating func makes(_ path: String, withParents: Bool = false) {
        var directory = parent(of: path)
        while withParents, case .missing = kind(of: directory), directory != "/", directory != "." {
            directory = parent(of: directory)
        }
        switch kind(of: directory) {
        case .directory:
            guard access(directory, W_OK | X_OK) != 0 else { return }
            let why = reason()
            if let maker = maker(of: path, isThere: directory) { return add(.note, path, notYet(maker)) }
            add(.error, path, "can't be created in \(directory): \(why)")
        case .unreachable(let why): add(.error, path, "can't be created: \(directory) can't be reached: \(why)")
        default:
            if let maker = maker(of: path) { return add(.note, path, notYet(maker)) }
            add(.error, path, "can't be created: there is no directory \(directory)")
        }
    }

    private func notYet(_ maker: String) -> String {
        "doesn't exist yet; \(maker) creates it (for a manual start, create it first)"
    }

    /// Directories that are created by the first start of the units, by parent directory: those of
    /// `understudy.service`, and `understudy-NAME` for the instances. They have the service's permissions, so this
    /// user's don't matter.
    private static let made: [(parent: String, maker: String)] = [
        ("/var/lib/", "the service's start (StateDirectory=)"), ("/var/log/", "the service's start (LogsDirectory=)"),
        ("/run/", "the service's or the socket unit's start (RuntimeDirectory=, ListenFIFO=)"),
        ("/var/spool/", "systemd-tmpfiles --create"),
    ]

    /// Returns the creator of the missing `path` or of its directory; nil if it is unknown. `isThere` is the nearest
    /// existing directory above it: in a directory that was already created, nothing else is created automatically.
    private func maker(of path: String, isThere: String? = nil) -> String? {
        for (place, maker) in Self.made where path.hasPrefix(place) {
            let name = path.dropFirst(place.count).prefix { $0 != "/" }
            guard name == "understudy" || name.hasPrefix("understudy-") else { continue }
            if isThere?.hasPrefix(place + name) == true, place != "/run/" { return nil }
            return maker
        }
        return nil
    }

    /// Free space below which a warning is given, in bytes.
    private static let littleSpace: UInt64 = 100_000_000

    private mutating func room(_ directory: String) {
        var space = statvfs()
        guard statvfs(directory, &space) == 0 else { return }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        if free < Self.littleSpace { add(.warning, directory, "only \(free / 1_000_000) MB are free there") }
    }

    private func kind(of path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { return errno == ENOENT ? .missing : .unreachable(reason()) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFIFO: return .pipe
        case S_IFSOCK: return .socket
        default: return .other
        }
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func reason() -> String { String(cString: strerror(errno)) }
}

/// The result of a check.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        /// The daemon won't start, or won't do a part of its work.
        case error
        /// The daemon will start, but there is a problem.
        case warning
        /// Normal before the first start.
        case note
    }

    public var severity: Severity
    /// The checked path or option name.
    public var place: String
    /// One sentence with the problem and the remedy.
    public var message: String

    public init(_ severity: Severity, _ place: String, _ message: String) {
        self.severity = severity
        self.place = place
        self.message = message
    }

    public var description: String { "\(severity.rawValue): \(place): \(message)" }
}
