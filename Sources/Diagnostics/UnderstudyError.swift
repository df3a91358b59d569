import Glibc

/// An error as a value: a code for programs, a message for people that says what to do, and a place.
///
/// Errors are returned to the command and printed once there.
public struct UnderstudyError: Error, Sendable, Equatable {
    /// The kind of error. Each code has one exit status (sysexits.h).
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String
        public let exitStatus: Int32

        private init(_ description: String, _ exitStatus: Int32) {
            self.description = description
            self.exitStatus = exitStatus
        }

        /// The command line is invalid (EX_USAGE).
        public static let usage = Code("usage", 64)
        /// The content of a file or a line is invalid (EX_DATAERR).
        public static let invalidData = Code("invalid data", 65)
        /// A required input file is missing or unreadable (EX_NOINPUT).
        public static let missingInput = Code("missing input", 66)
        /// A failure inside this program or a library that it calls (EX_SOFTWARE).
        public static let internalFailure = Code("internal failure", 70)
        /// An output can't be created (EX_CANTCREAT).
        public static let cannotCreate = Code("cannot create", 73)
        /// Reading or writing failed midway (EX_IOERR).
        public static let inputOutput = Code("input/output", 74)
        /// There is no room to write: on the disk, in a quota or below a file size limit (EX_IOERR).
        public static let noSpace = Code("no space", 74)
        /// A temporary failure (EX_TEMPFAIL).
        public static let tryAgain = Code("try again", 75)
        /// A file or directory exists, but this user may not read or search it (EX_NOPERM).
        public static let noPermission = Code("permission denied", 77)
        /// The configuration is invalid (EX_CONFIG).
        public static let configuration = Code("configuration", 78)

        /// The code for a failed system call that opens, reads or examines something, with the errno `number`:
        /// `noPermission` if that is the reason, else `other`.
        public static func reading(_ number: Int32, else other: Code) -> Code {
            [EACCES, EPERM].contains(number) ? .noPermission : other
        }

        /// The code for a failed system call that writes, with the errno `number`: `noSpace` if that is the reason,
        /// else `other`.
        public static func writing(_ number: Int32, else other: Code) -> Code {
            [ENOSPC, EDQUOT, EFBIG].contains(number) ? .noSpace : other
        }
    }

    public var code: Code
    /// One sentence: the problem and, if helpful, what to do.
    public var message: String
    /// A file, `file:line` or `file:line:column`; nil if the message is sufficient.
    public var place: String?

    public init(_ code: Code, _ message: String, at place: String? = nil) {
        self.code = code
        self.message = message
        self.place = place
    }

    /// The same error, placed at `place` unless it already has a place.
    public func placed(at place: String) -> UnderstudyError {
        var copy = self
        copy.place = self.place ?? place
        return copy
    }
}

extension UnderstudyError: CustomStringConvertible {
    /// `place: message`, the form that goes after `error: ` on standard error.
    public var description: String {
        guard let place else { return message }
        return "\(place): \(message)"
    }
}
