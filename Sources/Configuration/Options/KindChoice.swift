/// The settings of one kind of source or sink: the options that only this kind has.
package protocol KindSettings: SettingsBlock {
    /// The kind in words: `a named pipe`.
    static var noun: String { get }
    /// What only one item may do: `standard input is read`; nil if several may.
    static var exclusiveUse: String? { get }
}

extension KindSettings {
    package static var exclusiveUse: String? { nil }

    /// The value of `kind` in the file.
    package static var word: String { block.facts.name }

    package func isEqual(to other: any KindSettings) -> Bool { (other as? Self) == self }

    fileprivate static var options: [OptionFacts] { block.facts.options }

    fileprivate static func read(_ reader: BlockReader) -> Self { block.read(reader) }

    fileprivate func write(to text: inout BlockWriter) { Self.block.write(self, to: &text) }

    /// Returns nil if the other is of another kind.
    fileprivate func differences(_ new: any KindSettings) -> [OptionDifference]? {
        (new as? Self).map { Self.block.differences(self, $0) }
    }
}

/// The required option `kind`, and the options of all kinds, each with the condition that the kind has it.
package struct KindChoice<Root>: Sendable {
    let options: [OptionFacts]
    let read: @Sendable (_ reader: BlockReader, _ settings: inout Root) -> Void
    let write: @Sendable (_ settings: Root, _ text: inout BlockWriter) -> Void
    let differences: @Sendable (_ old: Root, _ new: Root, _ block: OptionBlock) -> [OptionDifference]

    /// - Parameters:
    ///   - kinds: in the order of the documentation.
    ///   - set: stores settings of one of the kinds.
    package init(
        of kinds: [any KindSettings.Type], example: String, reload: ReloadEffect,
        get: @escaping @Sendable (Root) -> any KindSettings,
        set: @escaping @Sendable (any KindSettings, inout Root) -> Void
    ) {
        let nouns = kinds.map { $0.noun }
        let list = nouns.dropLast().joined(separator: ", ") + ", or \(nouns.last ?? "")."
        let facts = OptionFacts(
            name: Self.name, form: .choice(kinds.map { $0.word }), unit: nil, absence: .refused, conditions: [],
            reload: reload, meaning: list.prefix(1).uppercased() + list.dropFirst(), example: example)
        options = [facts] + Self.merged(kinds)
        read = { reader, settings in
            guard case .text(let word)? = reader.value(of: facts) else { return }
            if let kind = kinds.first(where: { $0.word == word }) { set(kind.read(reader), &settings) }
        }
        write = { settings, text in
            let kind = get(settings)
            text.line(facts, .text(type(of: kind).word))
            kind.write(to: &text)
        }
        differences = { old, new, block in
            get(old).differences(get(new)) ?? [OptionDifference(block: block, option: facts)]
        }
    }

    /// Returns the options of all kinds. One that several kinds declare alike is listed once. A kind's own option
    /// follows its namesake of another kind, else precedes the next one that it shares with others.
    private static func merged(_ kinds: [any KindSettings.Type]) -> [OptionFacts] {
        var all: [OptionFacts] = []
        for kind in kinds {
            let own = kind.options
            for (index, option) in own.enumerated() {
                if let place = all.firstIndex(where: { $0.withoutKind == option }) {
                    all[place].conditions[0].values.append(kind.word)
                    continue
                }
                var conditional = option
                conditional.conditions.insert(.option(name, is: kind.word), at: 0)
                let namesake = all.lastIndex { $0.name == option.name }
                let next = own[index...].lazy.compactMap { next in all.firstIndex { $0.name == next.name } }.first
                all.insert(conditional, at: namesake.map { $0 + 1 } ?? next ?? all.count)
            }
        }
        return all
    }

    private static var name: String { "kind" }
}

extension OptionFacts {
    /// The option as its kind declares it.
    fileprivate var withoutKind: OptionFacts {
        var option = self
        option.conditions.removeFirst()
        return option
    }
}

extension BlockReader {
    /// Whether the file names a known kind.
    package var hasKind: Bool { word("kind") != nil }
}
