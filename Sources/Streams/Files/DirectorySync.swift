import Glibc

/// Forces the names in a directory to the disk, so that files that were created, renamed or removed there stay so after
/// a power loss.
enum DirectorySync {
    /// Returns 0, or the errno of opening the directory or of its sync.
    static func number(_ directory: String) -> Int32 {
        var number: Int32
        repeat {
            let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            number = descriptor >= 0 && fsync(descriptor) == 0 ? 0 : errno
            if descriptor >= 0 { close(descriptor) }
        } while number == EINTR
        return number
    }

    /// The directory that holds `path`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
