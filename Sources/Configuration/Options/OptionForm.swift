/// What the value of an option may be. Ranges are stated here and nowhere else.
package enum OptionForm: Sendable, Equatable {
    /// One of these words.
    case choice([String])
    case flag
    case count(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    /// Any text that isn't empty.
    case text
    /// A name: see `NameRule`.
    case name
    /// The path of a file, pipe, socket or directory; `${NAME}` stands for a value of the environment.
    case path
    /// A path that may hold `{label}`, `{source}` and `{date}` as well.
    case template
    /// Mode bits as three or four octal digits in quotes.
    case permissions
    /// A list of at least so many texts that aren't empty, each once.
    case list(least: Int)
    /// `host:port` on the loopback interface, or `unix:path`.
    case address
}

extension OptionForm {
    /// What to write, for a message: `a whole number`.
    var expectation: String {
        switch self {
        case .choice(let words): "one of " + words.joined(separator: ", ")
        case .flag: "true or false"
        case .count: "a whole number"
        case .number: "a number"
        case .text: "text"
        case .name: "a name"
        case .path, .template: "a path"
        case .permissions: "permissions in octal digits, in quotes"
        case .list: "a list"
        case .address: "an address"
        }
    }

    /// The range as a message says it: `1 … 1024`; nil for forms without one.
    package var range: String? {
        switch self {
        case .count(let range): "\(range.lowerBound) … \(range.upperBound)"
        case .number(let range): "\(OptionValue.text(range.lowerBound)) … \(OptionValue.text(range.upperBound))"
        default: nil
        }
    }
}
