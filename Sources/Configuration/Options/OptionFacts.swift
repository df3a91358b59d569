/// Everything about one option except the type that its value gets in `Settings`.
package struct OptionFacts: Sendable, Equatable {
    /// What happens when the option isn't there.
    package enum Absence: Sendable, Equatable {
        case refused
        /// The option then means what this says.
        case means(String)
        case defaults(to: OptionValue)
    }

    /// The option exists only where another option of the block has one of these values.
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
    /// All must hold.
    package let conditions: [Condition]
    /// What it does and, for a default, why that one.
    package let meaning: String
    /// A value as one would write it in the file.
    package let example: String
}
