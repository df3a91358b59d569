import Streams

/// What becomes durable together: how far the sources are answered, how long the sinks are, and what the teacher said.
public struct Commit: Sendable {
    /// A checkpoint of a newer generation takes the place of an older one of the same file; the other way it is ignored.
    public var checkpoints: [FileCheckpoint]
    public var sinks: [SinkLength]
    /// A row that is there already (same id, same models) stays as it is: lines are answered again after a crash.
    public var disagreements: [DisagreementRow]
    /// Forgotten before the checkpoints are kept, so a file that is in both stays.
    public var forgottenFiles: [ForgottenFile]
    public var forgottenSinks: [ForgottenSink]

    public init(
        checkpoints: [FileCheckpoint] = [], sinks: [SinkLength] = [], disagreements: [DisagreementRow] = [],
        forgottenFiles: [ForgottenFile] = [], forgottenSinks: [ForgottenSink] = []
    ) {
        self.checkpoints = checkpoints
        self.sinks = sinks
        self.disagreements = disagreements
        self.forgottenFiles = forgottenFiles
        self.forgottenSinks = forgottenSinks
    }

    public var isEmpty: Bool { disagreements.isEmpty && !movesState }

    var movesState: Bool {
        !checkpoints.isEmpty || !sinks.isEmpty || !forgottenFiles.isEmpty || !forgottenSinks.isEmpty
    }
}

/// A file of a source that is gone, up to this generation of its inode.
public struct ForgottenFile: Sendable, Hashable {
    public var source: String
    public var file: FileIdentity

    public init(source: String, file: FileIdentity) {
        self.source = source
        self.file = file
    }
}

/// An output file that won't be written to again.
public struct ForgottenSink: Sendable, Hashable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
