import CFiles
import Diagnostics
import Glibc

/// Opens the file at a path for appending, and creates what is missing so that it survives a power loss.
enum SinkFileOpening {
    /// Creates the missing ones of `directories`, outermost first, and the file if it doesn't exist.
    ///
    /// Errors: `cannotCreate`, `noSpace`, `tryAgain` without descriptors.
    static func open(
        _ path: String, making directories: [String], permissions: UInt32
    ) throws(UnderstudyError) -> (descriptor: Int32, status: understudy_status) {
        let (descriptor, isNew) = try descriptor(path, directories, permissions)
        do throws(UnderstudyError) {
            var status = understudy_status()
            let number = understudy_status_of_descriptor(descriptor, &status)
            guard number == 0 else { throw failure(number, path) }
            guard status.is_regular != 0 else { throw notRegular(path) }
            if isNew {
                // Sets the permissions regardless of the umask.
                guard fchmod(descriptor, permissions) == 0 else { throw failure(errno, path) }
            }
            // An empty file may have been created by an attempt that failed here.
            if isNew || status.size == 0 { try synchroniseDirectory(DirectorySync.directory(of: path)) }
            return (descriptor, status)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func descriptor(
        _ path: String, _ directories: [String], _ permissions: UInt32
    ) throws(UnderstudyError) -> (Int32, isNew: Bool) {
        // Non-blocking, so that a FIFO is refused without waiting. The file is read to identify it again.
        let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        var mayMakeDirectories = !directories.isEmpty
        // A step fails if another program creates or removes the file meanwhile; this is unlikely to happen repeatedly.
        for exclusive in [O_EXCL, O_EXCL, 0] {
            var descriptor = Glibc.open(path, flags)
            // A file that may only be written to is identified by its inode alone.
            if descriptor < 0, errno == EACCES { descriptor = Glibc.open(path, flags & ~O_ACCMODE | O_WRONLY) }
            if descriptor >= 0 { return (descriptor, false) }
            guard errno == ENOENT else { throw failure(errno, path) }
            if mayMakeDirectories {
                mayMakeDirectories = false
                for directory in directories { try make(directory) }
            }
            // The last attempt isn't exclusive: a symbolic link may point to a file that doesn't exist yet.
            descriptor = Glibc.open(path, flags | O_CREAT | exclusive, permissions)
            if descriptor >= 0 { return (descriptor, true) }
            guard errno == EEXIST else { throw failure(errno, path) }
        }
        throw failure(EEXIST, path)
    }

    private static func make(_ directory: String) throws(UnderstudyError) {
        let permissions: mode_t = 0o750
        guard mkdir(directory, permissions) == 0 else {
            if errno == EEXIST { return }
            throw failure(errno, directory)
        }
        chmod(directory, permissions)
        try synchroniseDirectory(DirectorySync.directory(of: directory))
    }

    private static func synchroniseDirectory(_ directory: String) throws(UnderstudyError) {
        switch DirectorySync.number(directory) {
        // Some network file systems can't sync a directory, and have made the entry durable already. A directory that
        // is writable but not readable can't be opened; the file system writes the entry later.
        case 0, EINVAL, EACCES: return
        case let number where number == EMFILE || number == ENFILE: throw failure(number, directory)
        case let number: throw SinkFile.failure("synced to disk", number, directory)
        }
    }

    private static func failure(_ number: Int32, _ path: String) -> UnderstudyError {
        let reason = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT: return SinkFile.failure("created", number, path)
        case EMFILE, ENFILE:
            var limit = rlimit()
            let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
            let most = isKnown ? " of \(limit.rlim_cur)" : ""
            return UnderstudyError(
                .tryAgain,
                "the file can't be opened: the limit\(most) open files is reached (\(reason)); raise it with LimitNOFILE= in "
                    + "the service's unit, or ulimit -n", at: path)
        case EISDIR, ENXIO: return notRegular(path)
        case ENOENT:
            return UnderstudyError(
                .cannotCreate,
                "the file can't be created: create the directory \(DirectorySync.directory(of: path)) first", at: path)
        default: return UnderstudyError(.cannotCreate, "the file can't be opened for writing: \(reason)", at: path)
        }
    }

    private static func notRegular(_ path: String) -> UnderstudyError {
        UnderstudyError(.cannotCreate, "a file sink needs a regular file, and this isn't one", at: path)
    }
}
