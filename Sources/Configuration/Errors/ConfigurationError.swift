/// One thing that is wrong with a configuration file.
public struct ConfigurationError: Error, Sendable, Equatable {
    /// The file as it was named.
    public var path: String
    /// From 1; nil when the file as a whole is meant.
    public var line: Int?
    /// Characters (Unicode scalars) from 1.
    public var column: Int?
    /// What is wrong, in one sentence.
    public var message: String
    /// What to do.
    public var hint: String?
    /// The line that is meant and, in a line of its own, a caret under the place; nil without a place.
    public var excerpt: String?

    /// `file:line:column`, or the file.
    public var place: String {
        guard let line, let column else { return path }
        return "\(path):\(line):\(column)"
    }

    /// The message with the hint.
    public var sentence: String {
        guard let hint else { return message }
        return "\(message); \(hint)"
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// `file:line:column: error: message; hint`, then the source line and the caret.
    public var description: String {
        let first = "\(place): error: \(sentence)"
        guard let excerpt else { return first }
        return first + "\n" + excerpt
    }
}
