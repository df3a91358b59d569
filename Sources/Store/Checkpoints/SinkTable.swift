import GRDB
import Streams

/// The table of sink lengths: one row per output file, by device and inode.
enum SinkTable {
    static let columns = "device, inode, sink, path, length, seal, born, mark, settled"

    /// The columns of a database that may have an earlier schema, whose rows lack the last three.
    static func columns(in database: Database) throws -> String {
        let sql = "SELECT count(*) FROM pragma_table_info('sink') WHERE name IN ('born', 'mark', 'settled')"
        let row = try Row.fetchOne(database, sql: sql)
        return row.flatMap { StoredNumber.integer($0, 0) } == 3
            ? columns : columns.replacing("born, mark, settled", with: "0, 0, 0")
    }

    /// nil if the row's seal is invalid.
    static func decode(_ row: Row) -> (sink: SinkLength, seal: Int64)? {
        guard let device = StoredNumber.unsigned(row, 0), let inode = StoredNumber.unsigned(row, 1),
            let name = StoredText.text(row, 2), let path = StoredText.text(row, 3),
            let length = StoredNumber.unsigned(row, 4), let seal = StoredNumber.integer(row, 5),
            let born = StoredNumber.integer(row, 6), let mark = StoredNumber.unsigned(row, 7),
            let settled = StoredNumber.integer(row, 8)
        else { return nil }
        let sink = SinkLength(
            sink: name, path: path, device: device, inode: inode, length: length, born: born, mark: mark,
            isSettled: settled != 0)
        return self.seal(sink) == seal ? (sink, seal) : nil
    }

    static func put(_ sink: SinkLength, in database: Database, total: inout TotalSeal) throws {
        if let known = try find(sink.device, sink.inode, in: database) { total.remove(known) }
        let seal = seal(sink)
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO sink (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            Int64(bitPattern: sink.device), Int64(bitPattern: sink.inode), StoredText.bytes(sink.sink),
            StoredText.bytes(sink.path), Int64(bitPattern: sink.length), seal, sink.born, Int64(bitPattern: sink.mark),
            sink.isSettled ? 1 : 0,
        ])
        total.add(seal)
    }

    static func forget(_ file: ForgottenSink, in database: Database, total: inout TotalSeal) throws {
        guard let known = try find(file.device, file.inode, in: database) else { return }
        try database.cachedStatement(sql: "DELETE FROM sink WHERE device = ? AND inode = ?")
            .execute(arguments: [Int64(bitPattern: file.device), Int64(bitPattern: file.inode)])
        total.remove(known)
    }

    /// The seal of the existing row.
    private static func find(_ device: UInt64, _ inode: UInt64, in database: Database) throws -> Int64? {
        let statement = try database.cachedStatement(sql: "SELECT seal FROM sink WHERE device = ? AND inode = ?")
        let key: StatementArguments = [Int64(bitPattern: device), Int64(bitPattern: inode)]
        guard let row = try Row.fetchOne(statement, arguments: key) else { return nil }
        guard let seal = StoredNumber.integer(row, 0) else { throw StoreDamage(reason: "a sink length is malformed") }
        return seal
    }

    private static func seal(_ sink: SinkLength) -> Int64 {
        var hash = RowSeal(.sink)
        hash.add(sink.device)
        hash.add(sink.inode)
        hash.add(sink.sink)
        hash.add(sink.path)
        hash.add(sink.length)
        // Rows without these values have the seal that earlier schemas gave them.
        if sink.born != 0 || sink.mark != 0 || sink.isSettled {
            hash.add(sink.born)
            hash.add(sink.mark)
            hash.add(UInt64(sink.isSettled ? 1 : 0))
        }
        return hash.value
    }
}
