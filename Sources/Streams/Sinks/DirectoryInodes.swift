import CFiles
import Diagnostics
import Glibc

/// Finds files by inode; each directory is read once.
struct DirectoryInodes {
    private var known: [String: Result<[UInt64: [String]], UnderstudyError>] = [:]

    /// The paths in `directory` whose inode is `inode`; none where there is no such directory.
    ///
    /// A failure where the directory, or one of its entries, can't be looked at: the file may be there.
    mutating func paths(of inode: UInt64, in directory: String) -> Result<[String], UnderstudyError> {
        let inodes = known[directory] ?? Self.patientlyRead(directory)
        known[directory] = inodes
        return inodes.map { $0[inode] ?? [] }
    }

    private static func patientlyRead(_ directory: String) -> Result<[UInt64: [String]], UnderstudyError> {
        var found: [UInt64: [String]] = [:]
        let number = PatientCall.number { read(directory, &found) }
        return number == 0 ? .success(found) : .failure(failure(number, directory))
    }

    /// 0, or the errno.
    private static func read(
        _ directory: String, _ found: inout [UInt64: [String]]
    ) -> Int32 {
        guard let stream = opendir(directory) else { return errno == ENOENT || errno == ENOTDIR ? 0 : errno }
        defer { closedir(stream) }
        var inodes: [UInt64: [String]] = [:]
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let number = errno
                if number == 0 { found = inodes }
                return number
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
            var status = understudy_status()
            // Not the entry's own inode number, which layered file systems number otherwise.
            let number = understudy_status_of_path(path, &status)
            if number == ENOENT { continue }
            guard number == 0 else { return number }
            if status.is_regular != 0 { inodes[status.inode, default: []].append(path) }
        }
    }

    private static func failure(_ number: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the directory can't be searched for rotated files (\(String(cString: strerror(number)))); lines at their "
                + "end may be there twice", at: path)
    }
}
