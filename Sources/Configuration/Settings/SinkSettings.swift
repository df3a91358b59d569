/// One place that answers go to.
public struct SinkSettings: Sendable, Equatable {
    public enum Format: String, Sendable, CaseIterable {
        case jsonl
        case tsv
        case label
    }

    public enum WhenFull: String, Sendable, CaseIterable {
        /// The sources wait.
        case block
        /// The answer is dropped and counted.
        case drop
    }

    public enum Kind: Sendable, Equatable {
        case stdout(Layout)
        case file(FileSettings, Layout)
        /// A named pipe, made with `permissions` when it is missing.
        case fifo(path: String, permissions: UInt32, Layout)
        /// A Unix stream socket that somebody else listens on.
        case socket(path: String, Layout)
        /// Structured fields; it has no layout.
        case journald
    }

    /// What an answer looks like.
    public struct Layout: Sendable, Equatable {
        public var format: Format
        /// Whether the models' logits are written as well.
        public var logits: Bool
    }

    public struct FileSettings: Sendable, Equatable {
        public enum Sync: String, Sendable, CaseIterable {
            /// fdatasync at each commit.
            case commit
            /// The kernel writes when it likes: a power loss may cost answers.
            case none
        }

        /// May hold `{label}`, `{source}` and `{date}`.
        public var path: String
        /// Mode bits of files that are made, at most 0o777.
        public var permissions: UInt32
        public var sync: Sync
    }

    /// Unique among the sinks.
    public var name: String
    public var kind: Kind
    public var filter: SinkFilter
    public var whenFull: WhenFull
}
