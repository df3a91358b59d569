import Diagnostics
import GRDB
import Streams

/// The data that becomes durable together: the sources' positions, the sinks' lengths, and the teacher's answers.
public struct Commit: Sendable {
    /// A checkpoint of a newer generation replaces an older one of the same file; an older one is ignored.
    public var checkpoints: [FileCheckpoint]
    public var sinks: [SinkLength]
    /// An existing row (same id, same models) isn't changed: lines are answered again after a crash.
    public var disagreements: [DisagreementRow]
    /// Removed before the checkpoints are stored, so a file that is in both stays.
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

/// A file of a source that no longer exists, up to this generation of its inode.
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

extension Store {
    /// All checkpoints, or those of one source. Rows with an invalid seal are reported and left out: a wrong checkpoint
    /// loses lines, a missing one only repeats them.
    public func checkpoints(source: String? = nil) throws(UnderstudyError) -> [FileCheckpoint] {
        let sql = "SELECT \(CheckpointTable.columns) FROM checkpoint" + (source == nil ? "" : " WHERE source = ?")
        let arguments: StatementArguments = source.map { [StoredText.bytes($0)] } ?? []
        return try rows(sql, arguments, "checkpoints") { CheckpointTable.decode($0)?.checkpoint }
    }

    /// All committed lengths of output files; rows with an invalid seal are treated as in `checkpoints`.
    public func sinkLengths() throws(UnderstudyError) -> [SinkLength] {
        try rows("SELECT \(SinkTable.columns) FROM sink", [], "sink lengths") { SinkTable.decode($0)?.sink }
    }

    /// Makes everything in `commit` durable, in one transaction: when this returns, all of it survives a power loss;
    /// when it throws, none of it was stored.
    ///
    /// Errors: `inputOutput` if the disk is full or failing, or the state is damaged; `tryAgain` if another process
    /// kept it locked.
    public func commit(_ commit: Commit) throws(UnderstudyError) {
        guard !commit.isEmpty else { return }
        try write { database in
            if commit.movesState {
                var total = try TotalSeal.read(from: database)
                for file in commit.forgottenFiles {
                    try CheckpointTable.forget(file, in: database, total: &total)
                }
                for file in commit.forgottenSinks { try SinkTable.forget(file, in: database, total: &total) }
                for checkpoint in commit.checkpoints {
                    try CheckpointTable.put(checkpoint, in: database, total: &total)
                }
                for sink in commit.sinks { try SinkTable.put(sink, in: database, total: &total) }
                try total.write(to: database)
            }
            for row in commit.disagreements { try DisagreementTable.insert(row, into: database) }
        }
    }

    /// Registers a sink's file durably, before its first byte is written.
    public func register(_ sink: SinkLength) throws(UnderstudyError) {
        try commit(Commit(sinks: [sink]))
    }

    /// Records that the output files hold no uncommitted bytes, for a clean stop of the daemon.
    public func settleSinks() throws(UnderstudyError) {
        let sinks = try sinkLengths().map { sink in
            var sink = sink
            sink.isSettled = true
            return sink
        }
        try commit(Commit(sinks: sinks))
    }
}
