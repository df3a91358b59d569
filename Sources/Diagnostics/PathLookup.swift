import Glibc

/// Examines paths. If the system can't tell whether something is at a path, that is an error and never a "no".
public enum PathLookup {
    /// The type of the file at a path.
    public enum Kind: Sendable, Equatable {
        case absent
        case file, directory, pipe, socket, link, other
    }

    /// The type of the file at `path`; a symbolic link is followed if `following` is true, otherwise it is `link`.
    ///
    /// Errors: `noPermission` if a directory of the path may not be searched; `inputOutput` if it can't be examined for
    /// another reason.
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

    /// Whether there is a file at `path`, links followed. Errors: as `kind`.
    public static func exists(_ path: String) throws(UnderstudyError) -> Bool { try kind(of: path) != .absent }

    /// The path with all links resolved; nil if there is nothing, a dangling link included. Errors: as `kind`.
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
            return UnderstudyError(.inputOutput, "can't be examined: \(String(cString: strerror(reason)))", at: path)
        }
        return denied(path)
    }

    /// The error for an existing file that couldn't be read by a call that gives no reason: determines the reason.
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

    /// The error for a file or directory that this user may not read or search.
    public static func denied(_ path: String) -> UnderstudyError {
        UnderstudyError(
            .noPermission,
            "permission denied: this user can't read it, or can't search one of its parent directories; run as"
                + " its owner, or grant this user access", at: path)
    }
}
