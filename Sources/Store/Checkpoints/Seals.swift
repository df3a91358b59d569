import Bytes
import GRDB
import Streams

/// A row's hash of its own content, since SQLite has no checksums: XXH64 over the values in the order of the columns,
/// lengths before text, little-endian.
struct RowSeal {
    /// Distinguishes equal content of different tables.
    enum Table: UInt64 {
        case schema = 1
        case checkpoint, sink, total, disagreement, run
    }

    private var bytes: [UInt8] = []
    private let table: Table

    init(_ table: Table) {
        self.table = table
        bytes.reserveCapacity(256)
    }

    mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ number: Int64) { add(UInt64(bitPattern: number)) }

    mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func add(_ numbers: [UInt64]) {
        add(UInt64(numbers.count))
        for number in numbers { add(number) }
    }

    mutating func add(_ numbers: [Float]) {
        add(UInt64(numbers.count))
        for number in numbers { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
    }

    var value: Int64 {
        Int64(bitPattern: bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: table.rawValue) })
    }
}

/// The combined seals of all checkpoints and sinks, which detects a missing row or a row of another age than the
/// others. It changes in every transaction that changes them.
struct TotalSeal: Equatable {
    private(set) var rows: Int64 = 0
    /// The exclusive or of the rows' seals: it doesn't depend on the order of insertions and removals.
    private(set) var sum: Int64 = 0

    mutating func add(_ seal: Int64) {
        rows &+= 1
        sum ^= seal
    }

    mutating func remove(_ seal: Int64) {
        rows &-= 1
        sum ^= seal
    }

    private var seal: Int64 {
        var hash = RowSeal(.total)
        hash.add(rows)
        hash.add(sum)
        return hash.value
    }

    func write(to database: Database) throws {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO total (one, rows, sum, seal) VALUES (1, ?, ?, ?)")
            .execute(arguments: [rows, sum, seal])
    }

    static func read(from database: Database) throws -> TotalSeal {
        let statement = try database.cachedStatement(sql: "SELECT rows, sum, seal FROM total")
        guard let row = try Row.fetchOne(statement), let rows = StoredNumber.integer(row, 0),
            let sum = StoredNumber.integer(row, 1)
        else { throw StoreDamage(reason: "the seal over its rows is missing") }
        let total = TotalSeal(rows: rows, sum: sum)
        guard total.seal == StoredNumber.integer(row, 2) else {
            throw StoreDamage(reason: "the seal over its rows has changed")
        }
        return total
    }
}

/// The checkpoints and sink lengths of a database whose seals are valid.
struct SealedRows {
    private(set) var checkpoints: [FileCheckpoint] = []
    private(set) var sinks: [SinkLength] = []
    /// Over the valid rows.
    private(set) var total = TotalSeal()
    /// The number of invalid rows.
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
