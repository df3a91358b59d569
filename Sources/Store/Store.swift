import Diagnostics
import GRDB
import Glibc
import Synchronization

/// The daemon's state in `state.sqlite` of its state directory: how far each file has been answered, the lengths of the
/// output files, and the teacher's answers.
///
/// One daemon at a time owns a state directory (`open`); other processes may use the same database beside it
/// (`openBeside`). SQLite runs with a write-ahead log that is synced at each commit, so that a completed commit
/// survives kill -9 and a power loss. Damage never stops a start: see `StoreOpening`.
///
/// Reads don't wait for commits, nor commits for reads. All methods may be called from any thread.
public final class Store: Sendable {
    /// The path of the database.
    public let path: String
    let report: @Sendable (UnderstudyError) -> Void
    private let connections: StoreConnections
    private let patience: StorePatience?
    private let files: StateFiles
    /// nil beside a daemon.
    private let lock: ProcessLock?
    private let hasFoundDamage = Atomic(false)

    /// How long a commit waits for another process, in seconds: commands hold the lock for milliseconds.
    package static let patience = 5.0

    /// Opens the state for the daemon: creates what is missing, sets damaged state aside and reports it through
    /// `report`.
    ///
    /// Errors: `tryAgain` if another daemon runs or another process keeps the state locked; `configuration` if a newer
    /// program wrote the state; `cannotCreate` if the directory can't be created or written to; `inputOutput` if the
    /// disk is full or failing.
    public static func open(
        directory: String, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Store {
        try open(directory: directory, schema: .current, report: report)
    }

    /// `open` with another release's schema, another lock timeout in seconds, and another maximum size in bytes for the
    /// complete check.
    package static func open(
        directory: String, schema: StoreSchema = .current, patience: Double = patience, wholeCheck: UInt64? = nil,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Store {
        let files = StateFiles(directory: directory)
        try files.prepareDirectory()
        let lock = try ProcessLock(path: files.lock) { holder in
            "another daemon\(holder) uses this state directory; stop it first, or set another state directory"
        }
        let waiting = StorePatience(seconds: patience / Double(StoreConnections.tries))
        let opening = StoreOpening(
            files: files, schema: schema, patience: patience, running: waiting,
            wholeCheck: wholeCheck ?? StoreOpening.wholeCheck, report: report)
        let connections = StoreConnections(try opening.open()) { try opening.connect() }
        return Store(connections, files: files, lock: lock, patience: waiting, report: report)
    }

    /// Opens the state beside a daemon, or without one. Creates, moves and repairs nothing.
    ///
    /// Errors: `missingInput` if there is no state yet; `configuration` if another release wrote it; `inputOutput` if
    /// it is damaged; `noPermission` if it isn't readable; `cannotCreate` if it isn't writable.
    public static func openBeside(
        directory: String, readOnly: Bool, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Store {
        let files = StateFiles(directory: directory)
        guard try files.isThere(files.database) else {
            throw UnderstudyError(
                .missingInput, "there is no state here yet; the daemon creates it when it first runs",
                at: files.database)
        }
        // SQLite would only report that it can't open it.
        guard access(files.database, R_OK) == 0 || errno != EACCES else { throw PathLookup.denied(files.database) }
        try files.checkCompanions()
        var configuration = StoreOpening.configuration(patience: patience)
        configuration.readonly = readOnly
        do {
            let queue = try DatabaseQueue(path: files.database, configuration: configuration)
            let written = try queue.read { try StoreSchema.read(from: $0) }
            try StoreOpening.refuse(written, unless: .current, at: files.database, migrates: false)
            return Store(
                StoreConnections(queue, make: nil), files: files, lock: nil, patience: nil, report: report)
        } catch {
            throw StoreFailure.error(error, at: files.database)
        }
    }

    private init(
        _ connections: StoreConnections, files: StateFiles, lock: ProcessLock?, patience: StorePatience?,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.connections = connections
        self.patience = patience
        self.files = files
        self.lock = lock
        self.report = report
        path = files.database
    }

    /// Closes the database and unlocks the directory; later calls throw. Otherwise this happens with the last
    /// reference.
    ///
    /// Errors: `tryAgain` if another thread still reads or writes.
    public func close() throws(UnderstudyError) {
        // Makes the database complete without its log. If that fails, the next run reads the log.
        do {
            if lock != nil {
                // SQLite would do it when the last connection closes, but GRDB closes the writing one first. If another
                // process reads, the log stays and remains valid.
                _ = try? connections.call { try $0.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
            }
            try connections.close()
        } catch {
            throw failure(error)
        }
        if lock != nil, !hasFoundDamage.load(ordering: .relaxed) { files.remove(files.suspicion) }
        lock?.release()
    }

    /// Limits all lock waits to `deadline` (nanoseconds), for the end of the daemon.
    public func limitPatience(until deadline: UInt64) { patience?.limit(until: deadline) }

    /// Runs `body` in a transaction of its own.
    func write<Value>(_ body: (Database) throws -> Value) throws(UnderstudyError) -> Value {
        do {
            return try connections.call { try $0.write(body) }
        } catch {
            throw failure(error)
        }
    }

    /// Runs `body` outside of a transaction, one writer at a time.
    func writeWithoutTransaction<Value>(_ body: (Database) throws -> Value) throws(UnderstudyError) -> Value {
        do {
            return try connections.call { try $0.writeWithoutTransaction(body) }
        } catch {
            throw failure(error)
        }
    }

    /// Runs `body` on a snapshot.
    func read<Value>(_ body: (Database) throws -> Value) throws(UnderstudyError) -> Value {
        do {
            return try connections.call { try $0.read(body) }
        } catch {
            throw failure(error)
        }
    }

    /// The decoded rows of a query. Damaged ones are left out and reported as `what`.
    func rows<Value: Sendable>(
        _ sql: String, _ arguments: StatementArguments, _ what: String, _ decode: (Row) -> Value?
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
        reportDamaged(damaged, what)
        return values
    }

    func reportDamaged(_ count: Int, _ what: String) {
        guard count > 0 else { return }
        report(UnderstudyError(.inputOutput, "\(count) \(what) are damaged and were left out", at: path))
    }

    private func failure(_ error: any Error) -> UnderstudyError {
        // Not every start reads every page, so the next one might miss the damage that this run has found.
        if StoreFailure.isDamage(error), !hasFoundDamage.exchange(true, ordering: .relaxed) { files.suspect() }
        return StoreFailure.error(error, at: path)
    }
}
