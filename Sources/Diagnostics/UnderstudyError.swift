import Glibc

/// An error as a value: a code for programs, a message for people that says what to do, and a place.
///
/// Errors are returned up to the verb that was asked for and printed once there.
public struct UnderstudyError: Error, Sendable, Equatable {
    /// What kind of thing went wrong. Each code has one exit status (sysexits.h).
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String
        public let exitStatus: Int32

        private init(_ description: String, _ exitStatus: Int32) {
            self.description = description
            self.exitStatus = exitStatus
        }

        /// The command line can't be understood (EX_USAGE).
        public static let usage = Code("usage", 64)
        /// A file's or a line's content is wrong (EX_DATAERR).
        public static let invalidData = Code("invalid data", 65)
        /// A file that must be read is missing or unreadable (EX_NOINPUT).
        public static let missingInput = Code("missing input", 66)
        /// Something inside this program or a library that it calls failed (EX_SOFTWARE).
        public static let internalFailure = Code("internal failure", 70)
        /// An output can't be created (EX_CANTCREAT).
        public static let cannotCreate = Code("cannot create", 73)
        /// Reading or writing failed midway (EX_IOERR).
        public static let inputOutput = Code("input/output", 74)
        /// A disk, a quota or a limit on file sizes leaves no room to write (EX_IOERR).
        public static let noSpace = Code("no space", 74)
        /// It may work later (EX_TEMPFAIL).
        public static let tryAgain = Code("try again", 75)
        /// A file or directory is there, and this user may not read it or look into it (EX_NOPERM).
        public static let noPermission = Code("permission denied", 77)
        /// The configuration is wrong (EX_CONFIG).
        public static let configuration = Code("configuration", 78)

        /// The code for a system call that was to open, read or look at something and failed with the errno `number`:
        /// `noPermission` where that is the reason, else `other`.
        public static func reading(_ number: Int32, else other: Code) -> Code {
            [EACCES, EPERM].contains(number) ? .noPermission : other
        }

        /// The code for a system call that was to write and failed with the errno `number`: `noSpace` where that is the
        /// reason, else `other`.
        public static func writing(_ number: Int32, else other: Code) -> Code {
            [ENOSPC, EDQUOT, EFBIG].contains(number) ? .noSpace : other
        }
    }

    public var code: Code
    /// One sentence: what is wrong and, where it helps, what to do.
    public var message: String
    /// Where: a file, `file:line` or `file:line:column`; nil when the message says it all.
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
