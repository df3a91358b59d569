/// A block within another one, or within the file.
package struct InnerBlock<Root>: Sendable {
    let facts: OptionBlock
    let read: @Sendable (_ reader: BlockReader, _ settings: inout Root) -> Void
    let write: @Sendable (_ settings: Root, _ text: inout BlockWriter) -> Void
    let differences: @Sendable (_ old: Root, _ new: Root) -> [OptionDifference]

    /// A block whose options all have defaults.
    package init<Inner: SettingsBlock>(at path: SettingsPath<Root, Inner>) {
        let facts = Inner.block.facts
        self.facts = facts
        read = { reader, settings in
            let inner =
                reader.inner(facts) ?? BlockReader(absent: facts, at: reader.span, context: reader.context)
            settings[keyPath: path] = Inner.block.read(inner)
        }
        write = { settings, text in
            text.block(facts) { Inner.block.write(settings[keyPath: path], to: &$0) }
        }
        differences = { Inner.block.differences($0[keyPath: path], $1[keyPath: path]) }
    }

    /// An optional block; `absent` says what its absence means.
    package init<Inner: SettingsBlock>(at path: SettingsPath<Root, Inner?>, absent: String) {
        var facts = Inner.block.facts
        facts.absence = .means(absent)
        self.facts = facts
        read = { [facts] reader, settings in
            settings[keyPath: path] = reader.inner(facts).map { Inner.block.read($0) }
        }
        write = { [facts] settings, text in
            guard let inner = settings[keyPath: path] else { return text.absent(facts) }
            text.block(facts) { Inner.block.write(inner, to: &$0) }
        }
        differences = { [facts] old, new in
            switch (old[keyPath: path], new[keyPath: path]) {
            case (nil, nil): []
            case (let old?, let new?): Inner.block.differences(old, new)
            default: OptionDifference.all(of: facts)
            }
        }
    }

    /// A block whose absence, or a name without options, means `value`. No block that is written out has this value.
    package init<Inner: SettingsBlock>(
        at path: SettingsPath<Root, Inner>, absent value: Inner, _ meaning: String
    ) {
        var facts = Inner.block.facts
        facts.absence = .means(meaning)
        self.facts = facts
        read = { [facts] reader, settings in
            settings[keyPath: path] = value
            guard reader.node(facts.name)?.isNull == false, let inner = reader.inner(facts) else { return }
            settings[keyPath: path] = Inner.block.read(inner)
        }
        write = { [facts] settings, text in
            guard settings[keyPath: path] != value else { return text.absent(facts) }
            text.block(facts) { Inner.block.write(settings[keyPath: path], to: &$0) }
        }
        differences = { [facts] old, new in
            let (old, new) = (old[keyPath: path], new[keyPath: path])
            // An option of the absent block may have a value that can't be written.
            if (old == value) != (new == value) { return OptionDifference.all(of: facts) }
            return Inner.block.differences(old, new)
        }
    }

    /// A required list of blocks with at least one item; `noun` names an item.
    package init<Item: SettingsBlock>(list path: SettingsPath<Root, [Item]>, of noun: String) {
        var facts = Item.block.facts
        (facts.shape, facts.absence) = (.list(of: noun), .refused)
        self.facts = facts
        read = { [facts] reader, settings in
            settings[keyPath: path] = reader.items(of: facts, noun).compactMap { node in
                BlockReader(node, as: facts, context: reader.context).map { Item.block.read($0) }
            }
        }
        write = { [facts] settings, text in
            text.block(facts) { text in
                for item in settings[keyPath: path] { text.item { Item.block.write(item, to: &$0) } }
            }
        }
        differences = { _, _ in [] }
    }
}

extension BlockReader {
    /// Maximum number of items in a list of blocks.
    package static let mostItems = 256

    /// Returns the reader of a nested block; nil if the block is absent or malformed.
    fileprivate func inner(_ block: OptionBlock) -> BlockReader? {
        node(block.name).flatMap { BlockReader($0, as: block, context: context) }
    }

    /// Returns the items of a required list.
    fileprivate func items(of block: OptionBlock, _ noun: String) -> [YAMLNode] {
        let example = "start each \(noun) with '- name: '"
        guard let node = node(block.name) else {
            context.errors.add("\(self.block.name) lacks '\(block.name)'", at: .none, hint: example)
            return []
        }
        switch node.content {
        case .list(let items):
            if items.isEmpty { context.errors.add("'\(block.name)' must have at least one \(noun)", at: node.span) }
            if items.count > Self.mostItems {
                context.errors.add(
                    "'\(block.name)' has \(items.count) items; \(Self.mostItems) are allowed", at: node.span)
            }
            return Array(items.prefix(Self.mostItems))
        case .refused: return []
        default:
            let actual = node.isNull ? "must have at least one \(noun)" : "must be a list, not \(node.description)"
            context.errors.add("'\(block.name)' \(actual)", at: node.span, hint: example)
            return []
        }
    }
}
