/// A mapping of the file, with its options in the order of the documentation.
package struct OptionBlock: Sendable, Equatable {
    package enum Shape: Sendable, Equatable {
        case mapping
        /// A list of such mappings with at least one item; the noun names an item.
        case list(of: String)
    }

    /// What the absence of the block means.
    package enum Absence: Sendable, Equatable {
        case refused
        /// It has the meaning given by this text.
        case means(String)
        /// All options have their defaults.
        case defaults
    }

    package var name: String
    package var shape = Shape.mapping
    package var absence = Absence.defaults
    package var meaning: String
    package var options: [OptionFacts] = []
    /// Nested blocks.
    package var blocks: [OptionBlock] = []
    /// Names of mutually exclusive options.
    package var alternatives: [String] = []
    /// What changes at the next restart if an option with that effect changes: `state changes`.
    package var restart: String

    /// The names of all options and nested blocks.
    var names: [String] { options.map(\.name) + blocks.map(\.name) }

    /// Returns the blocks below this one that have an option of this name (`cascade`, `redistill.gate`), for the hint
    /// at a misplaced option.
    func blocks(with option: String) -> [String] {
        blocks.flatMap { block in
            let own = block.options.contains { $0.name == option } ? [block.name] : []
            return own + block.blocks(with: option).map { "\(block.name).\($0)" }
        }
    }
}

/// What a reload does about an option whose value has changed.
package enum ReloadEffect: Sendable, Equatable {
    /// The new value is used from now on; nothing is replaced.
    case live
    /// The student and the rule of deferral are loaded again.
    case models
    /// So is the teacher.
    case teacher
    /// The student is loaded again if this changes the path that it is loaded from.
    case studentPath
    /// The source ends and starts again.
    case source
    /// The sink is opened again.
    case sink
    /// As `sink`, but a file in use keeps the old value until the next restart, and the log says so.
    case sinkFile
    /// The new value takes effect at the next restart, and the log says so.
    case restart
}

/// The properties of an option, apart from its type and place in the settings.
package struct OptionFacts: Sendable, Equatable {
    /// What the absence of the option means.
    package enum Absence: Sendable, Equatable {
        case refused
        /// It has the meaning given by this text.
        case means(String)
        case defaults(to: OptionValue)
    }

    /// The option is allowed only if another option of the block has one of these values.
    package struct Condition: Sendable, Equatable {
        package let option: String
        package var values: [String]

        package static func option(_ option: String, is values: String...) -> Condition {
            Condition(option: option, values: values)
        }
    }

    package let name: String
    package let form: OptionForm
    /// nil for texts, and for numbers without one.
    package let unit: OptionUnit?
    package let absence: Absence
    /// All conditions must hold.
    package var conditions: [Condition]
    package let reload: ReloadEffect
    /// What the option does, and why it has this default.
    package let meaning: String
    /// An example value in YAML.
    package let example: String
}

/// The unit of a number. The name of an option with a whole number ends with it.
package enum OptionUnit: String, Sendable {
    case bytes
    case days
    case lines
    case linesPerSecond = "lines per second"
    case mebibytes
    case milliseconds
    case minutes
    case ratio
    case rows
    case seconds
    case share
    case threads
}

/// The allowed values of an option. This is the only definition of the ranges.
package enum OptionForm: Sendable, Equatable {
    /// One of these words.
    case choice([String])
    case flag
    case count(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    /// Any non-empty text.
    case text
    /// A name: see `NameRule`.
    case name
    /// The path of a file, pipe, socket or directory. `${NAME}` is replaced by an environment variable.
    case path
    /// A path that may also contain `{label}`, `{source}` and `{date}`.
    case template
    /// Mode bits as three or four octal digits in quotes.
    case permissions
    /// A list of at least this many distinct non-empty texts.
    case list(least: Int)
    /// `host:port` on the loopback interface, or `unix:path`.
    case address
}

extension OptionForm {
    /// The expected value as messages name it: `a whole number`.
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

    /// The range as messages show it: `1 … 1024`; nil for forms without a range.
    package var range: String? {
        switch self {
        case .count(let range): "\(range.lowerBound) … \(range.upperBound)"
        case .number(let range): "\(OptionValue.text(range.lowerBound)) … \(OptionValue.text(range.upperBound))"
        default: nil
        }
    }
}

/// An untyped option value: a default of the tables, or a value read or printed.
package enum OptionValue: Sendable, Equatable {
    case text(String)
    case flag(Bool)
    case count(Int)
    case number(Double)
    case list([String])

    /// Returns the shortest decimal that reads back as `number`; whole numbers have no point.
    package static func text(_ number: Double) -> String {
        if let whole = Int(exactly: number) { return String(whole) }
        return number.description
    }
}
