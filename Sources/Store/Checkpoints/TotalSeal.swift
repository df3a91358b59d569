import GRDB

/// The seals of all checkpoints and sinks together, so that a row that is gone, or is of another age than the others,
/// is noticed. It changes in every transaction that changes them.
struct TotalSeal: Equatable {
    private(set) var rows: Int64 = 0
    /// The exclusive or of the rows' seals: rows may come and go in any order.
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
