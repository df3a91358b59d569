import Synchronization

/// Directories that this process is still writing. A process that a second signal ends at once removes them first, so
/// that only kill -9 and a power cut leave any behind; those are removed by the next run.
public enum UnfinishedDirectories {
    private static let paths = Mutex<[String]>([])

    public static func begin(_ path: String) {
        paths.withLock { $0.append(path) }
    }

    /// The directory is whole, or has been removed.
    public static func end(_ path: String) {
        paths.withLock { paths in paths.removeAll { $0 == path } }
    }

    /// Renames a directory to its final name by `rename`, which says whether it did. Nothing of it is removed meanwhile,
    /// so that what gets the name is whole.
    static func finish(_ path: String, rename: () -> Bool) -> Bool {
        paths.withLock { paths in
            guard rename() else { return false }
            paths.removeAll { $0 == path }
            return true
        }
    }

    /// Removes all of them and calls `end`, which ends the process: no directory is begun or finished in between.
    public static func removeAll(andThen end: () -> Void = {}) {
        paths.withLock { paths in
            for path in paths { DirectoryTree.remove(path) }
            paths.removeAll()
            end()
        }
    }
}
