import Diagnostics

/// Everything that is wrong with a configuration file, in the order of place. Never empty.
public struct ConfigurationErrors: Error, Sendable, Equatable {
    public let errors: [ConfigurationError]
    /// Errors beyond those, which were counted only.
    public let more: Int
    /// `configuration`, but for a file that this user may not read.
    public let code: UnderstudyError.Code

    init(_ errors: [ConfigurationError], more: Int = 0, code: UnderstudyError.Code = .configuration) {
        self.errors = errors
        self.more = more
        self.code = code
    }

    /// The first error in one line, with the number of the others: for a log.
    public var summary: UnderstudyError {
        let others = errors.count - 1 + more
        let tail = others > 0 ? " (and \(others) more; see `understudy check`)" : ""
        guard let first = errors.first else { return UnderstudyError(.configuration, "the configuration is wrong") }
        return UnderstudyError(code, first.sentence + tail, at: first.place)
    }
}

extension ConfigurationErrors: CustomStringConvertible {
    /// All of them, each with its source line; no line end at the end.
    public var description: String {
        var lines = errors.map(\.description)
        if more > 0 { lines.append("… and \(more) more errors") }
        return lines.joined(separator: "\n")
    }
}
