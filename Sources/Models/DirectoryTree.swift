import Diagnostics
import Glibc
import Tensors

/// Whole directory trees: listing, syncing to the disk, removing. Symbolic links are never followed.
enum DirectoryTree {
    /// Names in `path`, without `.` and `..`, in byte order. Errors: `inputOutput`, `noPermission`.
    static func entries(of path: String) throws(UnderstudyError) -> [String] {
        guard let stream = opendir(path) else { throw unreadable(errno, path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // readdir(3): only errno distinguishes the end from a failure.
            errno = 0
            guard let entry = readdir(stream) else {
                let reason = errno
                if reason != 0 { throw unreadable(reason, path) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes files 0644 and directories 0755 and syncs all of them to the disk, `path` last.
    static func makeDurable(_ path: String) throws(UnderstudyError) {
        for name in try entries(of: path) {
            let entry = "\(path)/\(name)"
            switch try PathLookup.kind(of: entry, following: false) {
            case .directory: try makeDurable(entry)
            case .file: try makeDurable(file: entry)
            default: continue
            }
        }
        guard chmod(path, 0o755) == 0 else { throw failure(path) }
        try DurableFile.synchroniseDirectory(path)
    }

    private static func makeDurable(file path: String) throws(UnderstudyError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o644) == 0, fsync(descriptor) == 0 else { throw failure(path) }
    }

    /// Creates the missing ones of the directory and its parents.
    ///
    /// Errors: `cannotCreate`, `noSpace`.
    static func make(_ path: String) throws(UnderstudyError) {
        if mkdir(path, 0o755) == 0 || kind(of: path) == S_IFDIR { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try make(String(path[..<slash]))
            if mkdir(path, 0o755) == 0 { return }
        }
        throw UnderstudyError(
            .writing(errno, else: .cannotCreate),
            "the directory can't be created: \(String(cString: strerror(errno)))", at: path)
    }

    /// Total size in bytes of the regular files directly in `path`; 0 if it can't be read.
    static func bytes(_ path: String) -> Int {
        var sum = 0
        for name in (try? entries(of: path)) ?? [] {
            var status = stat()
            if lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG { sum += status.st_size }
        }
        return sum
    }

    /// Copies a regular file; ignores anything else.
    static func copy(file source: String, to target: String) throws(UnderstudyError) {
        guard try PathLookup.kind(of: source) == .file else { return }
        var status = stat()
        guard stat(source, &status) == 0 else { throw PathLookup.unreadable(source) }
        let file = try DurableFile(replacing: target)
        if status.st_size > 0 {
            let mapped = try MappedFile(path: source)
            try mapped.withBytes { (bytes) throws(UnderstudyError) in try file.write(bytes) }
        }
        try file.commit()
    }

    /// Removes `path` and all below it as far as possible.
    static func remove(_ path: String) {
        guard kind(of: path) == S_IFDIR else {
            unlink(path)
            return
        }
        for name in (try? entries(of: path)) ?? [] { remove("\(path)/\(name)") }
        rmdir(path)
    }

    private static func unreadable(_ reason: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .reading(reason, else: .inputOutput),
            "the directory can't be read: \(String(cString: strerror(reason)))", at: path)
    }

    /// The file type bits of `st_mode`; nil if there is no such entry, or it can't be examined.
    private static func kind(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func failure(_ path: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput, "this can't be synced to disk: \(String(cString: strerror(errno)))", at: path)
    }
}
