import CFiles
import Diagnostics
import Glibc

/// Clears away a file whose every line is answered. If a symbolic link leads to it, only the link is moved or deleted.
struct FileDisposal {
    enum Outcome {
        case cleared
        /// It stays: it is to be kept, or is another file, or has grown.
        case kept
        /// It couldn't be cleared away now, and that was reported.
        case failed
    }

    private let after: DirectorySource.Settings.After
    private let root: String
    private let calls: DirectoryCalls

    init(_ settings: DirectorySource.Settings, _ calls: DirectoryCalls) {
        after = settings.after
        root = settings.path
        self.calls = calls
    }

    /// Moves or deletes the file if it still is the one that was answered, and has not grown.
    func clear(
        _ path: String, node: FileStatus.Node, size: UInt64, report: (UnderstudyError) -> Void
    ) -> Outcome {
        if case .keep = after { return .kept }
        do throws(CannotTell) {
            guard let status = try FileStatus(path: path, follows: true, calls), status.node == node,
                status.size == size
            else { return .kept }
        } catch {
            report(failure(clearing, error.number, path))
            return .failed
        }
        do throws(UnderstudyError) {
            switch after {
            case .keep: break
            case .delete:
                guard unlink(path) == 0 else { throw failure(clearing, errno, path) }
            case .move(let directory):
                try move(path, into: directory)
            }
            return .cleared
        } catch {
            report(error)
            return .failed
        }
    }

    private var clearing: String {
        switch after {
        case .keep: "kept"
        case .delete: "deleted"
        case .move(let directory): "moved to \(directory)"
        }
    }

    private func move(_ path: String, into directory: String) throws(UnderstudyError) {
        let target = directory + path.dropFirst(root.count)
        try makeDirectory(holding: target, from: directory)
        var status = renameApart(path, to: target)
        if status == EXDEV {
            if let linked = linkApart(path, to: target) {
                status = linked
            } else {
                status = try copyApart(path, to: target)
            }
        }
        guard status == 0 else { throw failure(clearing, status, path) }
    }

    /// Renames to `target`, or to the first of `target.1`, `target.2`, … that doesn't exist. Returns 0 or the errno.
    private func renameApart(_ path: String, to target: String) -> Int32 {
        var name = target
        var number = 0
        while true {
            let status = understudy_rename_new(path, name)
            guard status == EEXIST else { return status }
            number += 1
            name = "\(target).\(number)"
        }
    }

    /// Recreates a symbolic link on another file system; nil if it isn't a link.
    private func linkApart(_ path: String, to target: String) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { room in
            room.bindMemory(to: CChar.self).baseAddress.map { readlink(path, $0, room.count) } ?? 0
        }
        guard count > 0 else { return count < 0 && errno != EINVAL ? errno : nil }
        let content = String(decoding: bytes[..<count], as: UTF8.self)
        var name = target
        var number = 0
        while symlink(content, name) != 0 {
            guard errno == EEXIST else { return errno }
            number += 1
            name = "\(target).\(number)"
        }
        return unlink(path) == 0 ? 0 : errno
    }

    /// Across file systems: a copy beside the target is synced and renamed to it before the file is deleted.
    private func copyApart(_ path: String, to target: String) throws(UnderstudyError) -> Int32 {
        let slash = target.lastIndex(of: "/") ?? target.startIndex
        let hidden = "\(target[..<slash])/.\(target[slash...].dropFirst()).\(getpid()).partial"
        let from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else { return errno }
        defer { close(from) }
        var status = stat()
        guard fstat(from, &status) == 0 else { return errno }
        unlink(hidden)
        let to = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status.st_mode & 0o777)
        guard to >= 0 else { return errno }
        defer { close(to) }
        var times = [status.st_atim, status.st_mtim]
        var outcome = Self.copy(from, to)
        if outcome == 0, futimens(to, &times) != 0 || fsync(to) != 0 { outcome = errno }
        if outcome == 0 { outcome = renameApart(hidden, to: target) }
        guard outcome == 0 else {
            unlink(hidden)
            return outcome
        }
        _ = DirectorySync.number(String(target[..<slash]))
        return unlink(path) == 0 ? 0 : errno
    }

    private static func copy(_ from: Int32, _ to: Int32) -> Int32 {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            while true {
                let count = read(from, room.baseAddress, room.count)
                if count == 0 { return 0 }
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                var rest = UnsafeRawBufferPointer(rebasing: room[..<count])
                while !rest.isEmpty {
                    let written = write(to, rest.baseAddress, rest.count)
                    if written < 0 {
                        if errno == EINTR { continue }
                        return errno
                    }
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                }
            }
        }
    }

    /// Creates `directory`, and the directories between it and `target`.
    private func makeDirectory(holding target: String, from directory: String) throws(UnderstudyError) {
        var end = directory.endIndex
        while true {
            let path = String(target[..<end])
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("created", errno, path) }
            guard let slash = target[target.index(after: end)...].firstIndex(of: "/") else { return }
            end = slash
        }
    }

    private func failure(_ what: String, _ number: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .writing(number, else: .inputOutput), "the file can't be \(what): \(String(cString: strerror(number)))",
            at: path)
    }
}
