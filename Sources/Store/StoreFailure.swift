import Diagnostics
import Foundation
import GRDB

/// Classifies SQLite's errors.
enum StoreFailure {
    /// The error that a command or the daemon reports.
    static func error(_ error: any Error, at path: String) -> UnderstudyError {
        switch error {
        case let error as UnderstudyError: return error
        case let damage as StoreDamage:
            return UnderstudyError(
                .inputOutput, "the state is damaged: \(damage.reason); restart the daemon, which sets it aside",
                at: path)
        case let error as DatabaseError: return translated(error, at: path)
        default:
            // GRDB accesses the database's files through Foundation.
            if let number = fileErrno(error as NSError) {
                return UnderstudyError(
                    .writing(number, else: .reading(number, else: .inputOutput)),
                    "the state can't be examined: \(String(cString: strerror(number)))", at: path)
            }
            return UnderstudyError(.internalFailure, "\(error)", at: path)
        }
    }

    /// The errno of a system call by Foundation; nil for other errors.
    private static func fileErrno(_ error: NSError) -> Int32? {
        if error.domain == NSPOSIXErrorDomain { return Int32(exactly: error.code) }
        guard error.domain == NSCocoaErrorDomain else { return nil }
        // The underlying error may be of any kind; if it is unknown, the error still concerns a file.
        guard let cause = error.userInfo[NSUnderlyingErrorKey] as? any Error else { return EIO }
        return fileErrno(cause as NSError) ?? EIO
    }

    /// Whether an error shows that the file itself is damaged, whatever the operation.
    static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return error is StoreDamage }
        return [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
            || error.extendedResultCode == .SQLITE_IOERR_SHORT_READ
    }

    /// Whether an error during the check of a readable and writable database shows damage: all do except those that
    /// come from the machine or from other processes.
    static func isDamageAtOpening(_ error: any Error) -> Bool {
        guard !isDamage(error) else { return true }
        guard let error = error as? DatabaseError else { return false }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM,
            .SQLITE_INTERRUPT, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return false
        // The plain code means that the file's header requires a later SQLite; the extended codes, that the log can't
        // be written.
        case .SQLITE_READONLY: return error.extendedResultCode == .SQLITE_READONLY
        default: return true
        }
    }

    /// The result of `body`; nil if the data is damaged.
    ///
    /// Errors: those that come from the machine or from other processes. They say nothing about the file's content.
    static func unlessDamaged<Value>(_ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch let error where isDamageAtOpening(error) {
            return nil
        }
    }

    /// One clause about an error of SQLite.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let damage as StoreDamage: damage.reason
        case let error as DatabaseError: error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        default: "\(error)"
        }
    }

    private static func translated(_ error: DatabaseError, at path: String) -> UnderstudyError {
        let reason = reason(error)
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            return UnderstudyError(.tryAgain, "another process keeps the state locked; try again", at: path)
        case .SQLITE_FULL:
            return UnderstudyError(.noSpace, "no space is left for the state; free some space", at: path)
        // The log's index can't grow; SQLite has no other code for a full disk there.
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            return UnderstudyError(.noSpace, "no space is left for the log of the state; free some space", at: path)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return Self.error(StoreDamage(reason: reason), at: path)
        case .SQLITE_IOERR:
            return UnderstudyError(.inputOutput, "the state can't be read or written: \(reason)", at: path)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return UnderstudyError(
                .cannotCreate, "the state can't be opened or written to (\(reason)); run as the service's user",
                at: path)
        // This program's statements fail this way only if the tables aren't those that it created.
        case .SQLITE_ERROR, .SQLITE_CONSTRAINT, .SQLITE_SCHEMA, .SQLITE_MISMATCH:
            return UnderstudyError(
                .inputOutput,
                "the tables of the state were changed by another program (\(reason)); restart the daemon, which sets the "
                    + "state aside", at: path)
        default:
            return UnderstudyError(.internalFailure, "SQLite failed: \(reason)", at: path)
        }
    }
}

/// The database's content is impossible: it was damaged outside of SQLite.
struct StoreDamage: Error {
    /// A clause, e.g. `a row of the table checkpoint has changed`.
    let reason: String
}
