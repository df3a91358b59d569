/// What a check found.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        /// The daemon won't start, or won't do a part of its work.
        case error
        /// It will, and somebody should know.
        case warning
        /// It is as it should be before the first start.
        case note
    }

    public var severity: Severity
    /// What is looked at: a path, or an option's name.
    public var place: String
    /// One sentence: what is wrong and what to do.
    public var message: String

    public init(_ severity: Severity, _ place: String, _ message: String) {
        self.severity = severity
        self.place = place
        self.message = message
    }

    public var description: String { "\(severity.rawValue): \(place): \(message)" }
}
