import Diagnostics
import GRDB
import Glibc

/// The daemon's state in `state.sqlite` of its state directory: how far each file has been answered, how long the output
/// files are, and what the teacher said.
///
/// One daemon at a time owns a state directory (`open`); other processes may use the same database beside it
/// (`openBeside`). SQLite runs with a write-ahead log that is forced to the disk at each commit, so that a commit that
/// has returned survives kill -9 and a power cut. Damage never stops a start: see `StoreOpening`.
///
/// Reads don't wait for commits, nor commits for reads. All may be called from any thread.
public final class Store: Sendable {
    /// Where the database is.
    public let path: String
    let report: @Sendable (UnderstudyError) -> Void
    private let connections: StoreConnections
    private let patience: StorePatience?
    private let files: StateFiles
    /// nil beside a daemon.
    private let lock: ProcessLock?

    /// How long a commit waits for another process, in seconds: a person's verb holds the lock for milliseconds.
    package static let patience = 5.0

    /// Opens the state for the daemon: makes what is missing, sets aside what is damaged and says so through `report`.
    ///
    /// Errors: `tryAgain` where another daemon runs or another process keeps the state locked; `configuration` where a
    /// newer program wrote the state; `cannotCreate` where the directory can't be made or written to; `inputOutput` where
    /// the disk is full or failing.
    public static func open(
        directory: String, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Store {
        try open(directory: directory, schema: .current, report: report)
    }

    /// `open` as another release would do it, with another patience in seconds, and with every page checked up to another
    /// size in bytes.
    package static func open(
        directory: String, schema: StoreSchema = .current, patience: Double = patience, wholeCheck: UInt64? = nil,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Store {
        let files = StateFiles(directory: directory)
        try files.prepareDirectory()
        let lock = try ProcessLock(path: files.lock) { holder in
            "another daemon\(holder) uses this state directory; stop it first or give this one a directory of its own"
        }
        let waiting = StorePatience(seconds: patience / Double(StoreConnections.tries))
        let opening = StoreOpening(
            files: files, schema: schema, patience: patience, running: waiting,
            wholeCheck: wholeCheck ?? StoreOpening.wholeCheck, report: report)
        let connections = StoreConnections(try opening.open()) { try opening.connect() }
        return Store(connections, files: files, lock: lock, patience: waiting, report: report)
    }

    /// Opens the state beside a daemon, or without one. Nothing is made, moved or mended.
    ///
    /// Errors: `missingInput` where there is no state yet; `configuration` where another release wrote it; `inputOutput`
    /// where it is damaged; `noPermission` where it may not be read; `cannotCreate` where it may not be written to.
    public static func openBeside(
        directory: String, readOnly: Bool, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Store {
        let files = StateFiles(directory: directory)
        guard try files.isThere(files.database) else {
            throw UnderstudyError(
                .missingInput, "there is no state here yet; the daemon makes it when it first runs", at: files.database)
        }
        // SQLite would only say that it can't open it.
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

    /// Closes the database and lets the directory go; what is called afterwards throws. Without it, that happens when
    /// the last reference goes.
    ///
    /// Errors: `tryAgain` where another thread still reads or writes.
    public func close() throws(UnderstudyError) {
        // So that the database is whole without its log. If that fails, the next run reads the log.
        do {
            if lock != nil {
                // SQLite would do it when the last connection closes, but GRDB closes the one that may write first.
                // Where another process reads, the log stays and is as good.
                _ = try? connections.call { try $0.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
            }
            try connections.close()
        } catch {
            throw failure(error)
        }
        lock?.release()
    }

    /// Lets nothing wait for a lock longer than until `deadline` (nanoseconds): the daemon is to end.
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

    private func failure(_ error: any Error) -> UnderstudyError {
        // Not every start reads every page: what this run came upon, the next one might pass over.
        if StoreFailure.isDamage(error) { files.suspect() }
        return StoreFailure.error(error, at: path)
    }
}
