/// A directory whose files are read.
public struct DirectorySettings: Sendable, Equatable {
    public enum Mode: Sendable, Equatable {
        /// Each file once, when it is whole.
        case files(after: After)
        /// Files that grow, through rotation.
        case tail(start: Start)
    }

    /// What happens to a file once its last answer is durable.
    public enum After: Sendable, Equatable {
        case keep
        /// It is moved to this directory.
        case move(to: String)
        case delete
    }

    /// Where files that are there at the very first start begin.
    public enum Start: String, Sendable, CaseIterable {
        case beginning
        case end
    }

    public var path: String
    public var mode: Mode
    /// Patterns (fnmatch(3) without flags) on the path below the directory, of which any must match.
    public var include: [String]
    /// Patterns of files to leave alone; stronger than `include`.
    public var exclude: [String]
    /// Whether the directories below are read as well.
    public var recursive: Bool
    /// How often to look when inotify can't watch.
    public var pollSeconds: Int
}
