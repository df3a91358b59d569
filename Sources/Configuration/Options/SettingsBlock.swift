/// Settings that are one mapping of the file.
package protocol SettingsBlock: SettingsGroup {
    static var block: Block<Self> { get }

    /// Checks what concerns several options, and claims the paths that the settings use. Called after reading, even if
    /// a required option is missing.
    func check(_ reader: BlockReader)
}

extension SettingsBlock {
    package func check(_ reader: BlockReader) {}
}

/// The options and nested blocks of `Root`. The settings are read, printed, documented and compared by it.
package struct Block<Root: SettingsBlock>: Sendable {
    package let facts: OptionBlock
    private let members: [BlockMember<Root>]

    /// - Parameters:
    ///   - alternatives: names of mutually exclusive options.
    ///   - restart: what a reload says to change at the next restart; by default the name and `changes`.
    package init(
        _ name: String, _ meaning: String, alternatives: [String] = [], restart: String? = nil,
        @BlockBuilder<Root> _ members: () -> [BlockMember<Root>]
    ) {
        self.members = members()
        facts = OptionBlock(
            name: name, meaning: meaning, options: self.members.flatMap(\.options),
            blocks: self.members.compactMap(\.block), alternatives: alternatives,
            restart: restart ?? "\(name) changes")
    }

    /// Reads the settings, of the nested blocks only those that `isWanted` accepts. Valid only if no error was reported.
    func read(_ reader: BlockReader, blocks isWanted: (String) -> Bool = { _ in true }) -> Root {
        var settings = Root()
        for member in members {
            switch member {
            case .option(let option): if reader.isAllowed(option.facts) { option.read(reader, &settings) }
            case .inner(let inner): if isWanted(inner.facts.name) { inner.read(reader, &settings) }
            case .kind(let kind): kind.read(reader, &settings)
            }
        }
        settings.check(reader)
        return settings
    }

    /// Returns the options with other values. A list of blocks isn't compared.
    package func differences(_ old: Root, _ new: Root) -> [OptionDifference] {
        members.flatMap { member in
            switch member {
            case .option(let option):
                option.value(old) == option.value(new) ? [] : [OptionDifference(block: facts, option: option.facts)]
            case .inner(let inner): inner.differences(old, new)
            case .kind(let kind): kind.differences(old, new, facts)
            }
        }
    }
}

/// An option whose value differs between two settings.
package struct OptionDifference: Sendable {
    package let block: OptionBlock
    package let option: OptionFacts

    /// All options of a block and of its nested blocks.
    static func all(of block: OptionBlock) -> [OptionDifference] {
        block.options.map { OptionDifference(block: block, option: $0) } + block.blocks.flatMap(all)
    }
}

// Printing.
extension Block {
    func write(_ settings: Root, to text: inout BlockWriter) {
        for member in members {
            switch member {
            case .option(let option): if option.facts.conditions.isEmpty { write(option, settings, to: &text) }
            case .inner(let inner): inner.write(settings, &text)
            case .kind(let kind): kind.write(settings, &text)
            }
        }
    }

    /// Writes the option and, below it, those that depend on it.
    private func write(_ option: BlockOption<Root>, _ settings: Root, to text: inout BlockWriter) {
        let facts = option.facts
        guard facts.conditions.allSatisfy({ holds($0, in: settings) }) else { return }
        let value = option.value(settings)
        if value != nil || isShown(absent: facts.name, in: settings) { text.line(facts, value) }
        for dependent in options where dependent.facts.conditions.last?.option == facts.name {
            write(dependent, settings, to: &text)
        }
    }

    private var options: [BlockOption<Root>] {
        members.compactMap { member in
            if case .option(let option) = member { return option }
            return nil
        }
    }

    private func holds(_ condition: OptionFacts.Condition, in settings: Root) -> Bool {
        switch options.first(where: { $0.facts.name == condition.option })?.value(settings) {
        case .text(let word): condition.values.contains(word)
        case .flag(let flag): condition.values.contains(String(flag))
        default: false
        }
    }

    /// Of alternatives, only the first says what the absence of all of them means.
    private func isShown(absent name: String, in settings: Root) -> Bool {
        let alternatives = facts.alternatives
        guard alternatives.contains(name) else { return true }
        let isGiven = options.contains { alternatives.contains($0.facts.name) && $0.value(settings) != nil }
        return !isGiven && name == alternatives.first
    }
}

/// A part of a block.
package enum BlockMember<Root>: Sendable {
    case option(BlockOption<Root>)
    case inner(InnerBlock<Root>)
    case kind(KindChoice<Root>)

    fileprivate var options: [OptionFacts] {
        switch self {
        case .option(let option): [option.facts]
        case .inner: []
        case .kind(let kind): kind.options
        }
    }

    fileprivate var block: OptionBlock? {
        if case .inner(let inner) = self { return inner.facts }
        return nil
    }
}

/// Collects the members of a block.
@resultBuilder package enum BlockBuilder<Root> {
    package static func buildExpression(_ option: BlockOption<Root>) -> [BlockMember<Root>] { [.option(option)] }
    package static func buildExpression(_ options: [BlockOption<Root>]) -> [BlockMember<Root>] {
        options.map { .option($0) }
    }
    package static func buildExpression(_ inner: InnerBlock<Root>) -> [BlockMember<Root>] { [.inner(inner)] }
    package static func buildExpression(_ kind: KindChoice<Root>) -> [BlockMember<Root>] { [.kind(kind)] }
    package static func buildBlock(_ parts: [BlockMember<Root>]...) -> [BlockMember<Root>] { parts.flatMap { $0 } }
}
