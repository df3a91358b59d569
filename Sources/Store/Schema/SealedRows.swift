import GRDB
import Streams

/// The checkpoints and sink lengths of a database, as far as their seals hold.
struct SealedRows {
    private(set) var checkpoints: [FileCheckpoint] = []
    private(set) var sinks: [SinkLength] = []
    /// Over the rows that hold.
    private(set) var total = TotalSeal()
    /// Rows that don't hold.
    private(set) var damaged = 0

    static func read(from database: Database) throws -> SealedRows {
        var rows = SealedRows()
        let checkpoints = try Row.fetchCursor(
            database, sql: "SELECT \(CheckpointTable.columns) FROM checkpoint")
        while let row = try checkpoints.next() { rows.add(CheckpointTable.decode(row)) }
        let sinks = try Row.fetchCursor(database, sql: "SELECT \(try SinkTable.columns(in: database)) FROM sink")
        while let row = try sinks.next() { rows.add(SinkTable.decode(row)) }
        return rows
    }

    mutating func add(_ row: (checkpoint: FileCheckpoint, seal: Int64)?) {
        guard let row else { return damaged += 1 }
        checkpoints.append(row.checkpoint)
        total.add(row.seal)
    }

    mutating func add(_ row: (sink: SinkLength, seal: Int64)?) {
        guard let row else { return damaged += 1 }
        sinks.append(row.sink)
        total.add(row.seal)
    }
}
