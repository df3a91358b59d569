/// A destination of answers.
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
        /// A named pipe, created with `permissions` if missing.
        case fifo(path: String, permissions: UInt32, Layout)
        /// A Unix stream socket on which another process listens.
        case socket(path: String, Layout)
        /// The journal; it takes structured fields and has no layout.
        case journald
    }

    /// The layout of an answer.
    public struct Layout: Sendable, Equatable {
        public var format: Format
        /// Whether the models' logits are written as well.
        public var logits: Bool
    }

    public struct FileSettings: Sendable, Equatable {
        public enum Sync: String, Sendable, CaseIterable {
            /// Calls fdatasync(2) at each commit.
            case commit
            /// Leaves writing to the kernel: a power loss may lose answers.
            case none
        }

        /// May hold `{label}`, `{source}` and `{date}`.
        public var path: String
        /// Mode bits of created files, at most 0o777.
        public var permissions: UInt32
        public var sync: Sync
    }

    /// Unique among the sinks.
    public var name: String
    public var kind: Kind
    public var filter: SinkFilter
    public var whenFull: WhenFull
}

/// The conditions for a sink to take an answer. All must hold.
public struct SinkFilter: Sendable, Equatable {
    public enum By: String, Sendable, CaseIterable {
        case any
        case student
        case teacher
    }

    /// Empty: any label.
    public var labels: [String]
    /// Names of sources; empty: any source.
    public var sources: [String]
    /// The model whose answers are taken.
    public var by: By
    /// 0 … 1.
    public var minimumConfidence: Double
}
