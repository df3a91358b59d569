import Diagnostics

/// What the spool's thread, the lane's reader and the committer share, under one monitor.
struct SpoolState: Sendable {
    struct Segment: Sendable {
        var sequence: UInt64
        /// Bytes that are in the file, and that the reader may take.
        var length: UInt64
        /// Nothing more is appended to it.
        var isSealed: Bool
    }

    /// What the inner source last did.
    enum Inner: Sendable {
        case running
        case ended
        case failed(UnderstudyError)
    }

    /// Oldest first; the last one is appended to.
    var segments: [Segment]
    var inner = Inner.running
    var isInterrupted = false
    /// Segments that are gone and whose checkpoints may go too.
    var forgotten: [FileIdentity]

    var bytes: UInt64 { segments.reduce(0) { $0 + $1.length } }

    static func identity(_ sequence: UInt64) -> FileIdentity {
        FileIdentity(device: 0, inode: sequence, generation: 0)
    }
}
