/// An option of type `Value` without a default. It is required, or its absence has a meaning.
struct YAMLOption<Value: Sendable>: Sendable {
    let facts: OptionFacts
    let type: ValueType<Value>

    /// A required option.
    init(
        required name: String, _ type: ValueType<Value>, only conditions: [OptionFacts.Condition] = [],
        example: String, _ meaning: String
    ) {
        self.type = type
        facts = OptionFacts(
            name: name, form: type.form, absence: .refused, conditions: conditions, meaning: meaning, example: example)
    }

    /// An optional option; `absent` says what its absence means.
    init(
        _ name: String, _ type: ValueType<Value>, absent: String, only conditions: [OptionFacts.Condition] = [],
        example: String, _ meaning: String
    ) {
        self.type = type
        facts = OptionFacts(
            name: name, form: type.form, absence: .means(absent), conditions: conditions, meaning: meaning,
            example: example)
    }
}

/// An option with a default.
struct DefaultedOption<Value: Sendable>: Sendable {
    let facts: OptionFacts
    let type: ValueType<Value>
    let fallback: Value

    init(
        _ name: String, _ type: ValueType<Value>, default fallback: Value,
        only conditions: [OptionFacts.Condition] = [], example: String? = nil, _ meaning: String
    ) {
        self.type = type
        self.fallback = fallback
        let value = type.untyped(fallback)
        facts = OptionFacts(
            name: name, form: type.form, absence: .defaults(to: value), conditions: conditions, meaning: meaning,
            example: example ?? YAMLText.value(value, form: type.form))
    }
}

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

    package let name: String
    package let shape: Shape
    package let absence: Absence
    package let meaning: String
    package let options: [OptionFacts]
    /// Nested blocks.
    package let blocks: [OptionBlock]
    /// Names of mutually exclusive options.
    package let alternatives: [String]

    init(
        _ name: String, shape: Shape = .mapping, absence: Absence = .defaults, options: [OptionFacts],
        blocks: [OptionBlock] = [], alternatives: [String] = [], _ meaning: String
    ) {
        self.name = name
        self.shape = shape
        self.absence = absence
        self.meaning = meaning
        self.options = options
        self.blocks = blocks
        self.alternatives = alternatives
    }

    /// The names of all options and nested blocks.
    var names: [String] { options.map(\.name) + blocks.map(\.name) }
}

/// The properties of an option, apart from its type in `Settings`.
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
        package let values: [String]

        static func option(_ option: String, is values: String...) -> Condition {
            Condition(option: option, values: values)
        }
    }

    package let name: String
    package let form: OptionForm
    package let absence: Absence
    /// All conditions must hold.
    package let conditions: [Condition]
    /// What the option does, and why it has this default.
    package let meaning: String
    /// An example value in YAML.
    package let example: String
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
