/// A mapping of the file: its options in the order in which people read them.
package struct OptionBlock: Sendable, Equatable {
    package enum Shape: Sendable, Equatable {
        case mapping
        /// A list of such mappings, at least one; the noun names one of them.
        case list(of: String)
    }

    /// What happens when the block isn't there.
    package enum Absence: Sendable, Equatable {
        case refused
        /// The block then means what this says.
        case means(String)
        /// Every option takes its default.
        case defaults
    }

    package let name: String
    package let shape: Shape
    package let absence: Absence
    package let meaning: String
    package let options: [OptionFacts]
    /// Mappings inside this one.
    package let blocks: [OptionBlock]
    /// Names of options of which at most one may be there.
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

    /// All names that may stand in the block.
    var names: [String] { options.map(\.name) + blocks.map(\.name) }
}
