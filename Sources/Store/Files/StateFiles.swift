import Diagnostics
import Glibc

/// The files of a state directory: their names, and the renames that replace the database.
struct StateFiles {
    let directory: String

    var database: String { directory + "/state.sqlite" }
    /// Left by a run that was interrupted while it changed the database outside of WAL mode.
    var rollbackJournal: String { database + "-journal" }
    /// A new database that is being built; invalid after a crash.
    var partial: String { directory + "/state.sqlite.partial" }
    /// A new database that is complete and not yet in place.
    var ready: String { directory + "/state.sqlite.new" }
    var lock: String { directory + "/lock" }
    /// Has a byte for each run in succession that found damage: the next start checks the whole database.
    var suspicion: String { directory + "/state.sqlite.suspect" }

    /// The files that SQLite keeps beside a database, in WAL mode and before it.
    private static let companions = ["-journal", "-wal", "-shm"]

    /// Creates the directory, with permission 0750, and its parents.
    ///
    /// Errors: `cannotCreate` if it can't be created or written to.
    func prepareDirectory() throws(UnderstudyError) {
        var status = stat()
        if stat(directory, &status) != 0 {
            try Self.makeDirectory(directory)
        } else if status.st_mode & S_IFMT != S_IFDIR {
            throw UnderstudyError(.cannotCreate, "the state directory is a file; name a directory", at: directory)
        }
        guard access(directory, R_OK | W_OK | X_OK) == 0 else {
            throw UnderstudyError(
                .cannotCreate,
                "the state directory can't be written to (\(Self.reason(errno))); make the service's user its owner",
                at: directory)
        }
    }

    private static func makeDirectory(_ path: String) throws(UnderstudyError) {
        if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        let reason = errno
        if reason == ENOENT, let slash = path.dropLast().lastIndex(of: "/"), slash > path.startIndex {
            try makeDirectory(String(path[..<slash]))
            return try makeDirectory(path)
        }
        throw UnderstudyError(
            .writing(reason, else: .cannotCreate),
            "the state directory can't be created (\(Self.reason(reason))); create it, owned by the service's user",
            at: path
        )
    }

    /// Whether there is a database. Completes a replacement that a crash interrupted.
    ///
    /// Errors: `cannotCreate` if it isn't a file or can't be written to; `noPermission`; `inputOutput` if it can't be
    /// examined.
    func findDatabase() throws(UnderstudyError) -> Bool {
        guard try isThere(database) else {
            guard try isThere(ready) else {
                remove(partial)
                return false
            }
            remove(partial)
            // The replacement was interrupted after the database was set aside, perhaps before its companions were.
            try setAside()
            try putInPlace()
            return true
        }
        try checkCompanions()
        remove(partial)
        remove(ready)
        let descriptor = Glibc.open(database, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw UnderstudyError(
                .cannotCreate,
                "the state can't be written to (\(Self.reason(errno))); make the service's user its owner",
                at: database)
        }
        close(descriptor)
        return true
    }

    /// In bytes. Errors: `inputOutput` if the size is unknown, which never means that the file is empty.
    func size(of path: String) throws(UnderstudyError) -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw UnderstudyError(.inputOutput, "can't be examined: \(Self.reason(errno))", at: path)
        }
        return UInt64(max(0, status.st_size))
    }

    /// Whether there is anything at this path, a dangling link included; true if it can't be examined.
    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 || errno != ENOENT
    }

    /// Whether there is a regular file, perhaps behind a link.
    ///
    /// Errors: `cannotCreate` if there is something else, on which SQLite would block or fail; `inputOutput` if it
    /// can't be examined: an existing state mustn't be taken for missing.
    func isThere(_ path: String) throws(UnderstudyError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return false }
            if errno == EACCES { throw PathLookup.denied(path) }
            throw UnderstudyError(.inputOutput, "can't be examined: \(Self.reason(errno))", at: path)
        }
        if status.st_mode & S_IFMT == S_IFLNK, stat(path, &status) != 0 {
            throw UnderstudyError(
                .cannotCreate,
                "is a link to a missing file (\(Self.reason(errno))); is its disk mounted? Remove the link to start "
                    + "without a state", at: path)
        }
        let what: String
        switch status.st_mode & S_IFMT {
        case S_IFREG: return true
        case S_IFDIR: what = "a directory"
        case S_IFIFO: what = "a FIFO"
        case S_IFSOCK: what = "a socket"
        default: what = "a device"
        }
        throw UnderstudyError(
            .cannotCreate, "the state must be a regular file, and this is \(what); move it away", at: path)
    }

    /// Throws if a file that SQLite keeps beside the database isn't a regular file.
    func checkCompanions() throws(UnderstudyError) {
        for suffix in Self.companions + ["-journal"] { _ = try isThere(database + suffix) }
    }

    /// Makes the next start check the whole database. To be called once in a run.
    func suspect() {
        let descriptor = Glibc.open(suspicion, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return }
        var byte: UInt8 = 0x0A
        _ = write(descriptor, &byte, 1)
        close(descriptor)
    }

    /// How many runs in succession found damage; nil if the last one found none.
    ///
    /// Errors: those of `size` and `PathLookup.exists`.
    func suspicions() throws(UnderstudyError) -> UInt64? {
        try PathLookup.exists(suspicion) ? size(of: suspicion) : nil
    }

    func remove(_ path: String) {
        for name in [path] + Self.companions.map({ path + $0 }) { unlink(name) }
    }

    /// Creates an empty file for SQLite to fill; SQLite gives its own files the permissions of this one.
    func createPartial() throws(UnderstudyError) {
        remove(partial)
        let descriptor = Glibc.open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("created", partial) }
        close(descriptor)
    }

    /// Marks the new database as complete: from now on this run or the next one may put it in place.
    func markReady() throws(UnderstudyError) {
        guard rename(partial, ready) == 0 else { throw failure("renamed", partial) }
        try synchronise()
    }

    /// Renames the new database to its final name.
    func putInPlace() throws(UnderstudyError) {
        // A log or journal of another database must never be replayed into this one.
        for name in Self.companions.map({ database + $0 }) {
            guard unlink(name) == 0 || errno == ENOENT else { throw failure("removed", name) }
        }
        guard rename(ready, database) == 0 else { throw failure("renamed", ready) }
        try synchronise()
    }

    /// Renames the database and its companion files; returns the new path. `ready` must be complete.
    ///
    /// The database is renamed first. A database without its log is an older state, and a next start that found it
    /// after a failure here would take it for the present one; without a database it puts `ready` in place.
    @discardableResult
    func setAside(now: time_t = time(nil)) throws(UnderstudyError) -> String {
        let target = freeName(database + ".damaged-" + Self.timeText(now))
        for suffix in [""] + Self.companions where exists(database + suffix) {
            guard rename(database + suffix, target + suffix) == 0 else { throw failure("set aside", database + suffix) }
        }
        try synchronise()
        return target
    }

    private func freeName(_ wanted: String) -> String {
        var name = wanted
        var number = 2
        while exists(name) {
            name = "\(wanted)-\(number)"
            number += 1
        }
        return name
    }

    /// `20261125T130252Z`.
    private static func timeText(_ seconds: time_t) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Syncs the directory, so that the renames survive a power loss.
    private func synchronise() throws(UnderstudyError) {
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opened", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("synced to disk", directory) }
    }

    private func failure(_ what: String, _ path: String) -> UnderstudyError {
        let reason = errno
        return UnderstudyError(
            .writing(reason, else: .cannotCreate), "can't be \(what): \(Self.reason(reason))", at: path)
    }

    static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}
