import Diagnostics
import Foundation
import GRDB

/// What SQLite's errors mean to us.
enum StoreFailure {
    /// An error as a verb or the daemon reports it.
    static func error(_ error: any Error, at path: String) -> UnderstudyError {
        switch error {
        case let error as UnderstudyError: return error
        case let damage as StoreDamage:
            return UnderstudyError(
                .inputOutput, "the state is damaged: \(damage.reason); restart the daemon, which sets it aside",
                at: path)
        case let error as DatabaseError: return translated(error, at: path)
        default:
            // GRDB looks at the database's files by Foundation's means.
            if let number = fileErrno(error as NSError) {
                return UnderstudyError(
                    .writing(number, else: .reading(number, else: .inputOutput)),
                    "the state can't be looked at: \(String(cString: strerror(number)))", at: path)
            }
            return UnderstudyError(.internalFailure, "\(error)", at: path)
        }
    }

    /// The errno of a system call that Foundation made; nil where the error comes from elsewhere.
    private static func fileErrno(_ error: NSError) -> Int32? {
        if error.domain == NSPOSIXErrorDomain { return Int32(exactly: error.code) }
        guard error.domain == NSCocoaErrorDomain else { return nil }
        // What lies under it may be any kind of error there; where it can't be told it is still a file's.
        guard let cause = error.userInfo[NSUnderlyingErrorKey] as? any Error else { return EIO }
        return fileErrno(cause as NSError) ?? EIO
    }

    /// Whether an error says that the file itself is wrong, whatever was asked of it.
    static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return error is StoreDamage }
        return [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
            || error.extendedResultCode == .SQLITE_IOERR_SHORT_READ
    }

    /// Whether an error, met while a database is looked over that can be read and written, says that it is damaged:
    /// all do but those that come from the machine or from other processes.
    static func isDamageAtOpening(_ error: any Error) -> Bool {
        guard !isDamage(error) else { return true }
        guard let error = error as? DatabaseError else { return false }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM,
            .SQLITE_INTERRUPT, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return false
        // By itself it says that the file's header asks for a later SQLite; its kinds, that the log can't be written.
        case .SQLITE_READONLY: return error.extendedResultCode == .SQLITE_READONLY
        default: return true
        }
    }

    /// What `body` reads; nil where that is damaged.
    ///
    /// Errors: those that come from the machine or from other processes. They say nothing of what is in the file.
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
            return UnderstudyError(.noSpace, "no space is left for the state; make room", at: path)
        // The log's index can't be made larger; SQLite has no other word for a full disk there.
        case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            return UnderstudyError(.noSpace, "no space is left for the log of the state; make room", at: path)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return Self.error(StoreDamage(reason: reason), at: path)
        case .SQLITE_IOERR:
            return UnderstudyError(.inputOutput, "the state can't be read or written: \(reason)", at: path)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return UnderstudyError(
                .cannotCreate, "the state can't be opened or written to (\(reason)); run as the service's user",
                at: path)
        // Statements that this program has made fail so only where the tables aren't those that it has made.
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
