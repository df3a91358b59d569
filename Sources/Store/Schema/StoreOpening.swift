import Diagnostics
import GRDB

/// Opens the daemon's database at a start.
///
/// An existing database is checked before it is used: its recorded schema, SQLite's own check of its pages, the seal of
/// every checkpoint and sink row, and the total seal over all of them. If any check fails the database is damaged: a
/// new one is built beside it from the rows that are still valid, the old one is set aside under another name, and the
/// new one takes its place. A crash at any point leaves one of the two complete.
///
/// A read that fails is not damage: the start ends with an error and changes nothing.
struct StoreOpening {
    let files: StateFiles
    let schema: StoreSchema
    /// Seconds to wait for another process.
    let patience: Double
    /// The same for the connections that stay open.
    let running: StorePatience
    /// Maximum size in bytes of a database that is checked completely; in a larger one only the tables that the
    /// delivery guarantees depend on are checked. If SQLite then finds damage elsewhere while the daemon runs, the
    /// daemon leaves a note for the next start, which checks everything.
    let wholeCheck: UInt64
    let report: @Sendable (UnderstudyError) -> Void

    /// An intermittently failing system call can look like damage to SQLite. Real damage is found in each of this many
    /// checks.
    static let looks = 3

    /// A database in which so many runs in succession found damage is damaged, whatever the checks find.
    static let mostSuspicions: UInt64 = 3

    /// Checking this much takes a fraction of a second.
    static let wholeCheck: UInt64 = 64 << 20

    func open() throws(UnderstudyError) -> DatabasePool {
        do {
            return try openOrReplace()
        } catch {
            throw StoreFailure.error(error, at: files.database)
        }
    }

    /// Settings of every connection.
    static func configuration(patience: Double) -> Configuration {
        let waiting = StorePatience(seconds: patience)
        return configuration(waiting)
    }

    private static func configuration(_ patience: StorePatience) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .callback { patience.mayTryAgain($0) }
        // One for the status page, one for the metrics: each caches up to 2 MB of pages.
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;")
        }
        return configuration
    }

    /// Throws if `written` isn't the schema of this program.
    static func refuse(
        _ written: StoreSchema, unless known: StoreSchema, at path: String, migrates: Bool
    ) throws(UnderstudyError) {
        if written.number > known.number {
            throw UnderstudyError(
                .configuration,
                "a newer understudy wrote this state: run release \(PrintableText.escaped(written.release)) or later "
                    + "(this one supports states up to release \(known.release)), or set another state directory",
                at: path)
        }
        if written.number < known.number, !migrates {
            throw UnderstudyError(
                .configuration, "an older understudy wrote this state: start the daemon of this release once", at: path)
        }
    }

    private func openOrReplace() throws -> DatabasePool {
        guard try files.findDatabase() else {
            try build(from: nil)
            try files.putInPlace()
            return try connect()
        }
        var reason = ""
        for _ in 0..<Self.looks {
            do {
                return try openExisting()
            } catch let error where StoreFailure.isDamageAtOpening(error) {
                reason = StoreFailure.reason(error)
            }
        }
        return try replace(because: reason)
    }

    private func openExisting() throws -> DatabasePool {
        let written = try inspect()
        let pool = try connect()
        try StoreSchema.migrator.migrate(pool)
        if written.number < schema.number { try pool.write { try schema.write(to: $0) } }
        return pool
    }

    /// The connections of a running daemon.
    func connect() throws -> DatabasePool {
        let pool = try DatabasePool(path: files.database, configuration: Self.configuration(running))
        try pool.writeWithoutTransaction { database in
            // GRDB sets NORMAL for WAL, which loses the last commits in a power loss. The log is truncated to 16 MiB
            // when it restarts.
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;")
        }
        return pool
    }

    /// Makes SQLite roll back a transaction that was interrupted outside of WAL mode, which can happen while the first
    /// start turns WAL mode on. A read-only connection can't do that, and fails.
    private func rollBack() throws {
        guard files.exists(files.rollbackJournal) else { return }
        let queue = try DatabaseQueue(path: files.database, configuration: Self.configuration(patience: patience))
        _ = try queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA schema_version") }
        try queue.close()
    }

    /// Checks the database without changing a byte of it, and returns its schema. Any rollback by SQLite comes first.
    private func inspect() throws -> StoreSchema {
        let size = try files.size(of: files.database)
        guard size > 0 else { throw StoreDamage(reason: "the file is empty") }
        let suspicions = try files.suspicions()
        guard suspicions ?? 0 < Self.mostSuspicions else {
            throw StoreDamage(reason: "each of the last runs found damage in it")
        }
        try rollBack()
        var configuration = Self.configuration(patience: patience)
        configuration.readonly = true
        let queue = try DatabaseQueue(path: files.database, configuration: configuration)
        return try queue.read { database in
            let written = try StoreSchema.read(from: database)
            try Self.refuse(written, unless: schema, at: files.database, migrates: true)
            try StoreSchema.check(database, number: written.number)
            if size <= wholeCheck || suspicions != nil {
                try check(database, table: nil)
            } else {
                for table in StoreSchema.vitalTables { try check(database, table: table) }
            }
            try checkSeals(database)
            return written
        }
    }

    private func check(_ database: Database, table: String?) throws {
        let sql = "PRAGMA integrity_check(\(table.map { "'\($0)'" } ?? "1"))"
        guard let row = try Row.fetchOne(database, sql: sql), let answer = StoredText.text(row, 0) else {
            throw StoreDamage(reason: "it can't be checked")
        }
        guard answer == "ok" else {
            // "Page 9: unable to get the page. error code=8458": SQLite's code for a failed read.
            if let code = answer.split(separator: "error code=").dropFirst().first.flatMap({ Int32($0) }) {
                throw DatabaseError(resultCode: ResultCode(rawValue: code), message: answer)
            }
            throw StoreDamage(reason: answer)
        }
    }

    private func checkSeals(_ database: Database) throws {
        let rows = try SealedRows.read(from: database)
        guard rows.damaged == 0 else {
            throw StoreDamage(reason: "\(rows.damaged) of its rows were changed by another program")
        }
        guard try TotalSeal.read(from: database) == rows.total else {
            throw StoreDamage(reason: "rows are missing or inconsistent")
        }
    }

    /// Builds a new database from the valid rows of `damaged`.
    private func build(from damaged: String?) throws {
        try files.createPartial()
        var configuration = Self.configuration(patience: patience)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        }
        do {
            let queue = try DatabaseQueue(path: files.partial, configuration: configuration)
            try StoreSchema.migrator.migrate(queue)
            try queue.write { try schema.write(to: $0) }
            if let damaged { try salvage(from: damaged, into: queue) }
            try queue.close()
        } catch {
            files.remove(files.partial)
            throw error
        }
        try files.markReady()
    }

    private func salvage(from damaged: String, into queue: DatabaseQueue) throws {
        var configuration = Self.configuration(patience: patience)
        configuration.readonly = true
        let saved = try StoreSalvage.run(from: damaged, configuration: configuration, into: queue)
        report(UnderstudyError(.inputOutput, saved.description, at: damaged))
    }

    private func replace(because reason: String) throws -> DatabasePool {
        try build(from: files.database)
        let aside = try files.setAside()
        report(
            UnderstudyError(
                .inputOutput,
                "the state is damaged (\(PrintableText.escaped(reason))): it was set aside as "
                    + "\(PrintableText.escaped(aside)), and a new one was created; lines may be answered twice",
                at: files.database))
        try files.putInPlace()
        files.remove(files.suspicion)
        return try connect()
    }
}
