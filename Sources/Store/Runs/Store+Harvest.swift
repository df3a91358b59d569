import Diagnostics
import GRDB

extension Store {
    /// Gives the newest `count` rows up to the row number `lastRow` to `body`, in the order in which they came, with their
    /// numbers; how many were damaged and left out.
    ///
    /// Reads a page at a time and holds no snapshot in between: the daemon goes on writing and pruning meanwhile.
    @discardableResult
    public func forEachRow(
        newest count: Int, upTo lastRow: Int64, _ body: (DisagreementRow, Int64) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Int {
        let first = try read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT coalesce(min(number), 0) FROM
                        (SELECT number FROM disagreement WHERE number <= ? ORDER BY number DESC LIMIT ?)
                    """, arguments: [lastRow, max(0, count)]
            ).flatMap { StoredNumber.integer($0, 0) } ?? 0
        }
        guard count > 0 else { return 0 }
        var next = first
        var damaged = 0
        while true {
            let page = try read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT disagreement.number, \(DisagreementTable.columns) FROM \(DisagreementTable.tables)
                        WHERE disagreement.number >= ? AND disagreement.number <= ?
                        ORDER BY disagreement.number LIMIT \(Self.harvestPage)
                        """, arguments: [next, lastRow]
                ).map { (StoredNumber.integer($0, 0), DisagreementTable.decode($0, first: 1)) }
            }
            for (number, row) in page {
                if let number, let row { try body(row, number) } else { damaged += 1 }
            }
            guard page.count == Self.harvestPage, let last = page.last?.0, last < .max else { return damaged }
            next = last + 1
        }
    }

    /// Few enough for lines of a mebibyte.
    private static let harvestPage = 64
}
