import Diagnostics
import Glibc

/// Finds files by inode; each directory is read once.
struct DirectoryInodes {
    private var known: [String: Result<[UInt64: [String]], UnderstudyError>] = [:]

    /// The paths in `directory` whose inode is `inode`; none where there is no such directory.
    mutating func paths(of inode: UInt64, in directory: String) -> Result<[String], UnderstudyError> {
        let inodes = known[directory] ?? Self.read(directory)
        known[directory] = inodes
        return inodes.map { $0[inode] ?? [] }
    }

    private static func read(_ directory: String) -> Result<[UInt64: [String]], UnderstudyError> {
        guard let stream = opendir(directory) else {
            if errno == ENOENT || errno == ENOTDIR { return .success([:]) }
            let reason = String(cString: strerror(errno))
            return .failure(
                UnderstudyError(
                    .inputOutput,
                    "the directory can't be searched for rotated files (\(reason)); lines at their end may stand there "
                        + "twice", at: directory))
        }
        defer { closedir(stream) }
        var inodes: [UInt64: [String]] = [:]
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            // Not the entry's own inode number, which layered file systems number otherwise.
            guard fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { continue }
            inodes[UInt64(status.st_ino), default: []].append(directory == "/" ? "/\(name)" : "\(directory)/\(name)")
        }
        return .success(inodes)
    }
}
