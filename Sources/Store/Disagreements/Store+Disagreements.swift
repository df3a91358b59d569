import Diagnostics
import GRDB

extension Store {
    /// Rows that pass the filter, newest first, at most `limit`.
    public func disagreements(
        matching filter: DisagreementFilter = DisagreementFilter(), limit: Int
    ) throws(UnderstudyError) -> [DisagreementRow] {
        let (condition, arguments) = filter.condition
        let sql = """
            SELECT \(DisagreementTable.columns) FROM \(DisagreementTable.tables) WHERE \(condition)
            ORDER BY disagreement.time DESC, disagreement.number DESC LIMIT ?
            """
        let (rows, damaged) = try read { database in
            var rows: [DisagreementRow] = []
            var damaged = 0
            let cursor = try Row.fetchCursor(database, sql: sql, arguments: arguments + [max(0, limit)])
            while let row = try cursor.next() {
                if let decoded = DisagreementTable.decode(row) { rows.append(decoded) } else { damaged += 1 }
            }
            return (rows, damaged)
        }
        reportDamaged(damaged)
        return rows
    }

    /// Gives every row that passes the filter to `body`, oldest first, until that says false.
    ///
    /// Reads a page at a time and holds no snapshot in between, so that a slow reader doesn't keep the daemon's
    /// write-ahead log from being cut back. Rows that are written meanwhile may be among those given.
    public func forEachDisagreement(
        matching filter: DisagreementFilter = DisagreementFilter(),
        _ body: (DisagreementRow) throws(UnderstudyError) -> Bool
    ) throws(UnderstudyError) {
        let (condition, arguments) = filter.condition
        let sql = """
            SELECT disagreement.time, disagreement.number, \(DisagreementTable.columns) FROM \(DisagreementTable.tables)
            WHERE \(condition) AND (disagreement.time, disagreement.number) > (?, ?)
            ORDER BY disagreement.time, disagreement.number LIMIT \(Self.page)
            """
        var last: (time: Int64, number: Int64) = (.min, .min)
        var damaged = 0
        var goesOn = true
        while goesOn {
            let (rows, end, count) = try read { database in
                var rows: [DisagreementRow?] = []
                var end = last
                let cursor = try Row.fetchCursor(
                    database, sql: sql, arguments: arguments + [last.time, last.number])
                while let row = try cursor.next() {
                    guard let time = StoredNumber.integer(row, 0), let number = StoredNumber.integer(row, 1) else {
                        throw StoreDamage(reason: "a row of the disagreement log is malformed")
                    }
                    end = (time, number)
                    rows.append(DisagreementTable.decode(row, first: 2))
                }
                return (rows.compactMap { $0 }, end, rows.count)
            }
            damaged += count - rows.count
            for row in rows where goesOn { goesOn = try body(row) }
            guard count == Self.page, end > last else { break }
            last = end
        }
        reportDamaged(damaged)
    }

    /// Rows read at a time: enough to be quick, few enough for lines of a mebibyte.
    private static let page = 64

    private func reportDamaged(_ count: Int) {
        guard count > 0 else { return }
        let message = "\(count) rows of the disagreement log are damaged and were left out"
        report(UnderstudyError(.inputOutput, message, at: path))
    }
}
