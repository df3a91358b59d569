import Diagnostics
import GRDB
import Streams

extension Store {
    /// All checkpoints, or those of one source. Rows whose seal doesn't hold are reported and left out: a wrong
    /// checkpoint loses lines, a missing one only answers them again.
    public func checkpoints(source: String? = nil) throws(UnderstudyError) -> [FileCheckpoint] {
        let sql = "SELECT \(CheckpointTable.columns) FROM checkpoint" + (source == nil ? "" : " WHERE source = ?")
        let arguments: StatementArguments = source.map { [StoredText.bytes($0)] } ?? []
        return try rows(sql, arguments, "checkpoints") { CheckpointTable.decode($0)?.checkpoint }
    }

    /// All committed lengths of output files; rows whose seal doesn't hold as in `checkpoints`.
    public func sinkLengths() throws(UnderstudyError) -> [SinkLength] {
        try rows("SELECT \(SinkTable.columns) FROM sink", [], "sink lengths") { SinkTable.decode($0)?.sink }
    }

    /// Makes everything in `commit` durable, in one transaction: when this returns, all of it survives a power cut; when
    /// it throws, nothing of it was kept.
    ///
    /// Errors: `inputOutput` where the disk is full, failing or the state damaged; `tryAgain` where another process kept
    /// it locked.
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

    /// Makes a sink's file known, durable at once: before its first byte is written.
    public func register(_ sink: SinkLength) throws(UnderstudyError) {
        try commit(Commit(sinks: [sink]))
    }

    /// Notes that nothing is in the output files that isn't committed: a daemon ends well.
    public func settleSinks() throws(UnderstudyError) {
        let sinks = try sinkLengths().map { sink in
            var sink = sink
            sink.isSettled = true
            return sink
        }
        try commit(Commit(sinks: sinks))
    }

    private func rows<Value: Sendable>(
        _ sql: String, _ arguments: StatementArguments, _ what: String, _ decode: @Sendable (Row) -> Value?
    ) throws(UnderstudyError) -> [Value] {
        let (values, damaged) = try read { database in
            var values: [Value] = []
            var damaged = 0
            let cursor = try Row.fetchCursor(database, sql: sql, arguments: arguments)
            while let row = try cursor.next() {
                if let value = decode(row) { values.append(value) } else { damaged += 1 }
            }
            return (values, damaged)
        }
        if damaged > 0 {
            report(UnderstudyError(.inputOutput, "\(damaged) \(what) are damaged and were left out", at: path))
        }
        return values
    }
}
