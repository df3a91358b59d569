import Text

/// What a student reads of some lines: token ids and, for the shortcut, n-gram buckets.
public struct StudentBatch: Sendable {
    public var tokens = TokenBatch()
    /// Buckets below `shortcutBuckets`; every line present even when there is no shortcut.
    public var buckets = TokenBatch()

    public init() {}

    public var count: Int { tokens.count }

    public mutating func removeAll() {
        tokens.removeAll()
        buckets.removeAll()
    }
}
