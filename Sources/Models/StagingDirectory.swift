import Diagnostics
import Glibc
import Synchronization
import Tensors

/// A hidden directory beside a target, in which a model is written before it is renamed; removed with the value.
///
/// Its owner holds a lock (flock) on it. A directory without a lock has a dead owner; the run that finds it removes it.
final class StagingDirectory {
    let parent: String
    let path: String
    private let lock: Int32

    /// Errors: `cannotCreate` if the parent doesn't exist or isn't writable.
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
            // Another run may take the new directory for a leftover before it is locked: then another name is tried.
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

    /// Losing two races in a row is unlikely; more failures mean that the file system doesn't support locks.
    private static let attempts = 20

    deinit {
        DirectoryTree.remove(path)
        UnfinishedDirectories.end(path)
        FileLock.release(closing: lock)
    }

    private static let suffix = ".partial"

    /// The descriptor of a directory that this call has locked; nil if it doesn't exist or is in use.
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

    /// Removes the leftovers of killed runs, for any target in `parent`.
    static func removeAllLeftovers(in parent: String) {
        guard let names = try? DirectoryTree.entries(of: parent) else { return }
        for name in names where name.hasPrefix(".") && name.hasSuffix(suffix) {
            let target = name.dropFirst().dropLast(suffix.count)
            guard let dot = target.lastIndex(of: ".") else { continue }
            removeLeftovers(in: parent, prefix: ".\(target[..<dot]).")
        }
    }

    /// Removes the leftovers of killed runs; a failure must not stop this run.
    private static func removeLeftovers(in parent: String, prefix: String) {
        guard let names = try? DirectoryTree.entries(of: parent) else { return }
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            // Exactly `.name.<number>.partial`: the target's name may be a prefix of a longer one.
            let number = name.dropFirst(prefix.count).dropLast(suffix.count)
            guard !number.isEmpty, number.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { continue }
            let leftover = "\(parent)/\(name)"
            guard let descriptor = locked(leftover) else { continue }
            DirectoryTree.remove(leftover)
            FileLock.release(closing: descriptor)
        }
    }
}

/// Directories that this process is still writing. A process that a second signal ends at once removes them first, so
/// that only kill -9 and a power loss leave any; the next run removes those.
public enum UnfinishedDirectories {
    private static let paths = Mutex<[String]>([])

    public static func begin(_ path: String) {
        paths.withLock { $0.append(path) }
    }

    /// The directory is complete, or has been removed.
    public static func end(_ path: String) {
        paths.withLock { paths in paths.removeAll { $0 == path } }
    }

    /// Renames a directory to its final name by `rename`, which returns whether it succeeded. No part of it is removed
    /// meanwhile, so that the renamed directory is complete.
    static func finish(_ path: String, rename: () -> Bool) -> Bool {
        paths.withLock { paths in
            guard rename() else { return false }
            paths.removeAll { $0 == path }
            return true
        }
    }

    /// Removes all of them and calls `end`, which ends the process: no directory is started or finished in between.
    public static func removeAll(andThen end: () -> Void = {}) {
        paths.withLock { paths in
            for path in paths { DirectoryTree.remove(path) }
            paths.removeAll()
            end()
        }
    }
}
