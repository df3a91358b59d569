/// A value of an option before it gets its type: what the tables hold as defaults, and what is read and printed.
package enum OptionValue: Sendable, Equatable {
    case text(String)
    case flag(Bool)
    case count(Int)
    case number(Double)
    case list([String])

    /// The shortest decimal that reads back as `number`; whole numbers without a point.
    package static func text(_ number: Double) -> String {
        if let whole = Int(exactly: number) { return String(whole) }
        return number.description
    }
}
