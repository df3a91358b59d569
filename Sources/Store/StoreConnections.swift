import Diagnostics
import GRDB
import Glibc
import Streams
import Synchronization

/// How long a statement waits for a lock held by another process, or by this one accidentally.
final class StorePatience: Sendable {
    private let nanoseconds: UInt64
    private let end = Atomic<UInt64>(.max)

    init(seconds: Double) { nanoseconds = UInt64(seconds * 1e9) }

    /// No wait lasts longer than until `end`, in nanoseconds.
    func limit(until end: UInt64) { self.end.store(end, ordering: .relaxed) }

    /// SQLite's busy handler: sleeps, and returns whether to try again.
    func mayTryAgain(_ tries: Int) -> Bool {
        // As SQLite's own handler: 1, 2, 5, … and then 100 ms.
        let delays: [UInt64] = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50]
        let waited = delays.prefix(tries).reduce(0, +) + UInt64(max(0, tries - delays.count)) * 100
        let left = nanoseconds.subtractingReportingOverflow(waited * 1_000_000)
        let now = Monotonic.nanoseconds
        let end = end.load(ordering: .relaxed)
        guard !left.overflow, left.partialValue > 0, now < end else { return false }
        let delay = tries < delays.count ? delays[tries] : 100
        usleep(UInt32(min(delay * 1_000_000, left.partialValue, end - now) / 1000))
        return true
    }
}

/// The connections to the database, which are reopened if a lock persists.
///
/// SQLite keeps its own record of the locks of this process. If the kernel fails to release one (fcntl with F_UNLCK),
/// SQLite considers it held forever, and locks itself out; closing all connections resets that record. If another
/// process holds the lock, reopening changes nothing.
final class StoreConnections: Sendable {
    private struct State: Sendable {
        var database: any DatabaseWriter
        var isClosed = false
    }

    private let state: Monitor<State>
    /// nil beside a daemon.
    private let make: (@Sendable () throws -> any DatabaseWriter)?
    /// How often a call is tried; each attempt waits for a part of the timeout.
    static let tries = 4

    init(_ database: any DatabaseWriter, make: (@Sendable () throws -> any DatabaseWriter)?) {
        state = Monitor(State(database: database))
        self.make = make
    }

    /// Calls `body` with the connections; again after reopening them if it failed because of a lock.
    func call<Value>(_ body: (any DatabaseWriter) throws -> Value) throws -> Value {
        var tries = make == nil ? 1 : Self.tries
        while true {
            let database = state.withLock { $0.database }
            do {
                return try body(database)
            } catch let error where tries > 1 && Self.mayBeOurs(error) {
                tries -= 1
                try reopen(database, because: error)
            }
        }
    }

    /// Closes permanently.
    func close() throws {
        let database = state.withLock { state in
            state.isClosed = true
            return state.database
        }
        try database.close()
    }

    private func reopen(_ old: any DatabaseWriter, because error: any Error) throws {
        guard let make else { throw error }
        let outcome = state.withLock { state in
            Result { () throws -> Void in
                guard !state.isClosed else { throw error }
                // Another thread may have reopened them already.
                guard state.database === old else { return }
                try old.close()
                state.database = try make()
            }
        }
        try outcome.get()
    }

    private static func mayBeOurs(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        switch error.resultCode {
        // MISUSE: the connection is closed, because the last reopening failed.
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL, .SQLITE_MISUSE: return true
        case .SQLITE_IOERR:
            return [
                .SQLITE_IOERR_UNLOCK, .SQLITE_IOERR_LOCK, .SQLITE_IOERR_RDLOCK, .SQLITE_IOERR_SHMLOCK,
                .SQLITE_IOERR_CHECKRESERVEDLOCK,
            ].contains(error.extendedResultCode)
        default: return false
        }
    }
}
