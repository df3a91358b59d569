import Diagnostics
import Glibc
import Tensors

/// A hidden directory beside a target, in which a model is written before it is renamed; removed with the value.
///
/// Its owner holds a lock (flock) on it. A run that finds one that nobody has locked knows that its owner is dead, and
/// removes it.
final class StagingDirectory {
    let parent: String
    let path: String
    private let lock: Int32

    /// Errors: `cannotCreate` when the parent doesn't exist or can't be written.
    init(beside target: String) throws(UnderstudyError) {
        let slash = target.lastIndex(of: "/")
        parent = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        let name = slash.map { String(target[target.index(after: $0)...]) } ?? target
        let prefix = ".\(name)."
        Self.removeLeftovers(in: parent, prefix: prefix)
        for _ in 0..<Self.attempts {
            let candidate = "\(parent)/\(prefix)\(UInt32.random(in: 0...UInt32.max))\(Self.suffix)"
            guard mkdir(candidate, 0o700) == 0 else {
                if errno == EEXIST { continue }
                throw UnderstudyError(
                    .cannotCreate, "the directory can't be created in \(parent): \(String(cString: strerror(errno)))",
                    at: target)
            }
            // Another run may take the new directory for a leftover before it is locked: again with another name.
            guard let descriptor = Self.locked(candidate) else {
                rmdir(candidate)
                continue
            }
            path = candidate
            lock = descriptor
            UnfinishedDirectories.begin(candidate)
            return
        }
        throw UnderstudyError(.cannotCreate, "no directory can be created and locked in \(parent)", at: target)
    }

    /// Losing even two races in a row is unlikely; more failures mean that the file system has no locks.
    private static let attempts = 20

    deinit {
        DirectoryTree.remove(path)
        UnfinishedDirectories.end(path)
        FileLock.release(closing: lock)
    }

    private static let suffix = ".partial"

    /// The descriptor of a directory that this call has locked; nil when it's gone or in use.
    private static func locked(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var held = stat()
        var named = stat()
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &held) == 0, lstat(path, &named) == 0,
            held.st_ino == named.st_ino
        else {
            FileLock.release(closing: descriptor)
            return nil
        }
        return descriptor
    }

    /// Removes what killed runs left of any target in `parent`.
    static func removeAllLeftovers(in parent: String) {
        guard let names = try? DirectoryTree.entries(of: parent) else { return }
        for name in names where name.hasPrefix(".") && name.hasSuffix(suffix) {
            let target = name.dropFirst().dropLast(suffix.count)
            guard let dot = target.lastIndex(of: ".") else { continue }
            removeLeftovers(in: parent, prefix: ".\(target[..<dot]).")
        }
    }

    /// Removes what killed runs left; a failure to do so must not stop the run that noticed.
    private static func removeLeftovers(in parent: String, prefix: String) {
        guard let names = try? DirectoryTree.entries(of: parent) else { return }
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            // Exactly `.name.<number>.partial`: the target's name may itself be the start of a longer one.
            let number = name.dropFirst(prefix.count).dropLast(suffix.count)
            guard !number.isEmpty, number.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { continue }
            let leftover = "\(parent)/\(name)"
            guard let descriptor = locked(leftover) else { continue }
            DirectoryTree.remove(leftover)
            FileLock.release(closing: descriptor)
        }
    }
}
