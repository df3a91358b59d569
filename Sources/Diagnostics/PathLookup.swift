import Glibc

/// Whether something is at a path, where "it can't be told" is an error and never a "no".
public enum PathLookup {
    /// What a path leads to.
    public enum Kind: Sendable, Equatable {
        case absent
        case file, directory, pipe, socket, link, other
    }

    /// What is at `path`; a symbolic link is followed where `following` is true, and `link` where it isn't.
    ///
    /// Errors: `noPermission` where a directory on the way may not be searched; `inputOutput` where the system can't
    /// tell for another reason.
    public static func kind(of path: String, following: Bool = true) throws(UnderstudyError) -> Kind {
        var status = stat()
        guard (following ? stat(path, &status) : lstat(path, &status)) == 0 else {
            let reason = errno
            if reason == ENOENT || reason == ENOTDIR { return .absent }
            throw failure(reason, path)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFIFO: return .pipe
        case S_IFSOCK: return .socket
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// Whether there is something at `path`, links followed. Errors: as `kind`.
    public static func exists(_ path: String) throws(UnderstudyError) -> Bool { try kind(of: path) != .absent }

    /// The path with all links resolved; nil where there is nothing, a dangling link included. Errors: as `kind`.
    public static func resolved(_ path: String) throws(UnderstudyError) -> String? {
        guard let resolved = realpath(path, nil) else {
            let reason = errno
            if reason == ENOENT || reason == ENOTDIR { return nil }
            throw failure(reason, path)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func failure(_ reason: Int32, _ path: String) -> UnderstudyError {
        guard UnderstudyError.Code.reading(reason, else: .inputOutput) == .noPermission else {
            return UnderstudyError(.inputOutput, "can't be looked at: \(String(cString: strerror(reason)))", at: path)
        }
        return denied(path)
    }

    /// The error for a file that is there and couldn't be read by means that don't say why: asks again why.
    public static func unreadable(_ path: String) -> UnderstudyError {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor < 0 else {
            close(descriptor)
            return UnderstudyError(.inputOutput, "can't be read", at: path)
        }
        let reason = errno
        if reason == ENOENT { return UnderstudyError(.missingInput, "there is no such file", at: path) }
        return failure(reason, path)
    }

    /// The error for something that this user may not read or look into.
    public static func denied(_ path: String) -> UnderstudyError {
        UnderstudyError(
            .noPermission,
            "permission denied: this user may not read it, or may not search a directory on the way to it; run as the"
                + " user that it belongs to, or give this one the right", at: path)
    }
}
