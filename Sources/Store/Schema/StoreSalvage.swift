import Diagnostics
import GRDB
import Streams

/// Copies the valid rows of a damaged database.
///
/// A checkpoint with a valid seal is current or outdated; an outdated one only makes lines be answered again. A sink
/// length that is older than the checkpoints would cut off answers that are never written again. So the lengths are
/// kept only if all rows together form one committed state; an output file without a length is left as it is.
///
/// Only damage is skipped. If a read fails because of the machine, the error is thrown: nothing is lost yet.
struct StoreSalvage {
    private(set) var checkpoints = 0
    private(set) var sinks = 0
    private(set) var disagreements = 0
    private(set) var runs = 0
    private(set) var failure: String?

    /// Maximum number of disagreements kept, the newest ones: a start mustn't wait minutes for training data.
    private static let mostDisagreements = 200_000
    private static let batch = 1000

    var description: String {
        var text =
            "recovered from damage: \(checkpoints) checkpoints, \(sinks) sink lengths, \(disagreements) rows of the "
            + "disagreement log" + (runs > 0 ? ", \(runs) re-distillation runs" : "")
        if let failure { text += " (then: \(PrintableText.escaped(failure)))" }
        return text
    }

    /// Errors: those of the machine and of other processes.
    static func run(
        from damaged: String, configuration: Configuration, into queue: DatabaseQueue
    ) throws -> StoreSalvage {
        var salvage = StoreSalvage()
        do {
            let source = try look { try DatabaseQueue(path: damaged, configuration: configuration) }
            try salvage.takeState(from: source, into: queue)
            try salvage.takeRuns(from: source, into: queue)
            try salvage.takeDisagreements(from: source, into: queue)
            try source.close()
        } catch let error where StoreFailure.isDamageAtOpening(error) {
            salvage.failure = StoreFailure.reason(error)
        }
        return salvage
    }

    /// Repeats `body`, because a system call that fails intermittently can look like damage.
    private static func look<Value>(_ body: () throws -> Value) throws -> Value {
        for _ in 1..<StoreOpening.looks {
            if let value = try StoreFailure.unlessDamaged(body) { return value }
        }
        return try body()
    }

    private mutating func takeState(from source: DatabaseQueue, into queue: DatabaseQueue) throws {
        let (rows, isWhole) = try Self.look {
            try source.read { database in
                let (rows, complete) = try Self.readBothWays(database)
                let total = try StoreFailure.unlessDamaged { try TotalSeal.read(from: database) }
                return (rows, complete && rows.damaged == 0 && rows.total == total)
            }
        }
        let sinks = isWhole ? rows.sinks : []
        try queue.write { database in
            var total = try TotalSeal.read(from: database)
            for checkpoint in rows.checkpoints { try CheckpointTable.put(checkpoint, in: database, total: &total) }
            for sink in sinks { try SinkTable.put(sink, in: database, total: &total) }
            try total.write(to: database)
        }
        checkpoints = rows.checkpoints.count
        self.sinks = sinks.count
    }

    /// Copies the runs. A state of the first schema has none.
    private mutating func takeRuns(from source: DatabaseQueue, into queue: DatabaseQueue) throws {
        let kept = try StoreFailure.unlessDamaged {
            try source.read { database in
                try Row.fetchAll(database, sql: "SELECT \(RunTable.columns) FROM run").compactMap(RunTable.decode)
            }
        }
        guard let kept, !kept.isEmpty else { return }
        let isDone: Void? = try StoreFailure.unlessDamaged {
            try queue.write { database in
                for run in kept { try RunTable.put(run, in: database) }
            }
        }
        if isDone != nil { runs = kept.count }
    }

    /// Reads each table from both ends up to the damaged page.
    private static func readBothWays(_ database: Database) throws -> (rows: SealedRows, isComplete: Bool) {
        for _ in 0..<StoreOpening.looks {
            let rows = try StoreFailure.unlessDamaged { try SealedRows.read(from: database) }
            if let rows { return (rows, true) }
        }
        var rows = SealedRows()
        var seen: Set<Int64> = []
        for order in ["source, device, inode", "source DESC, device DESC, inode DESC"] {
            let sql = "SELECT \(CheckpointTable.columns) FROM checkpoint ORDER BY \(order)"
            _ = try StoreFailure.unlessDamaged {
                try each(sql, in: database) { row in
                    let decoded = CheckpointTable.decode(row)
                    if decoded.map({ seen.insert($0.seal).inserted }) ?? true { rows.add(decoded) }
                }
            }
        }
        return (rows, false)
    }

    /// Reads from the newest backwards, and from the oldest forwards if a page in between is damaged.
    private mutating func takeDisagreements(from source: DatabaseQueue, into queue: DatabaseQueue) throws {
        let columns = try Self.columns(of: source)
        for order in ["DESC", "ASC"] where disagreements < Self.mostDisagreements {
            let sql = """
                SELECT disagreement.number, \(columns) FROM \(DisagreementTable.tables)
                ORDER BY disagreement.number \(order)
                """
            var rows: [(number: Int64, row: DisagreementRow)] = []
            do {
                try source.read { database in
                    try Self.each(sql, in: database) { row in
                        guard disagreements < Self.mostDisagreements, let number = StoredNumber.integer(row, 0),
                            let decoded = DisagreementTable.decode(row, first: 1)
                        else { return }
                        rows.append((number, decoded))
                        if rows.count == Self.batch { try keep(&rows, in: queue) }
                    }
                }
                try keep(&rows, in: queue)
                return
            } catch let error where StoreFailure.isDamageAtOpening(error) {
                try keep(&rows, in: queue)
                failure = StoreFailure.reason(error)
            }
        }
    }

    /// As in the damaged state: rows of the first schema lack the fingerprint of the teacher's weights.
    private static func columns(of source: DatabaseQueue) throws -> String {
        let fingerprint = "pairing.teacher_fingerprint"
        let isThere: Void? = try StoreFailure.unlessDamaged {
            try source.read { _ = try Row.fetchOne($0, sql: "SELECT \(fingerprint) FROM pairing") }
        }
        return isThere != nil
            ? DisagreementTable.columns : DisagreementTable.columns.replacing(fingerprint, with: "x''")
    }

    private mutating func keep(_ rows: inout [(number: Int64, row: DisagreementRow)], in queue: DatabaseQueue) throws {
        disagreements = try queue.write { database in
            for (number, row) in rows { try DisagreementTable.insert(row, number: number, into: database) }
            let count = try Row.fetchOne(database, sql: "SELECT count(*) FROM disagreement")
            return Int(count.flatMap { StoredNumber.integer($0, 0) } ?? 0)
        }
        rows.removeAll(keepingCapacity: true)
    }

    private static func each(_ sql: String, in database: Database, _ body: (Row) throws -> Void) throws {
        let cursor = try Row.fetchCursor(database, sql: sql)
        while let row = try cursor.next() { try body(row) }
    }
}
