/// Reads one mapping by its table: refuses what doesn't belong there, then gives values by option.
struct BlockReader {
    let block: OptionBlock
    /// The mapping, or where it should be.
    let span: SourceSpan
    let context: ReadingContext
    private var entries: [String: YAMLNode.Entry] = [:]
    /// The block as messages name it: `cascade`, `this source`.
    private let title: String

    /// A block that isn't there, or holds nothing: all options are absent.
    init(absent block: OptionBlock, at span: SourceSpan, context: ReadingContext) {
        self.block = block
        self.span = span
        self.context = context
        title = Self.title(of: block)
    }

    /// nil when the node isn't a mapping, which was then reported.
    init?(_ node: YAMLNode, as block: OptionBlock, context: ReadingContext) {
        self.init(absent: block, at: node.span, context: context)
        if node.isNull { return }
        guard case .mapping(let written) = node.content else {
            if case .refused = node.content { return nil }
            let example = block.options.first.map { ", such as '\($0.name): \($0.example)'" } ?? ""
            context.errors.add(
                "\(title) must be a mapping of options\(example), not \(node.description)", at: node.span)
            return nil
        }
        for entry in written { take(entry) }
        for entry in written where entries[entry.name]?.key.span == entry.key.span { refuseMisplaced(entry) }
        refuseAlternatives()
    }

    private mutating func take(_ entry: YAMLNode.Entry) {
        guard block.names.contains(entry.name) else {
            context.errors.add(
                "\(YAMLText.shown(entry.name)) isn't an option of \(title)", at: entry.key.span,
                hint: UnknownName.hint(entry.name, in: block))
            return
        }
        if let first = entries[entry.name] {
            context.errors.add(
                "'\(entry.name)' is already in line \(first.key.span.start.line + 1)", at: entry.key.span,
                hint: "keep one of them")
            return
        }
        entries[entry.name] = entry
    }

    /// The value of an option without a default; nil when it isn't there or wrong. Its absence is reported where it
    /// is required.
    func value<Value>(_ option: YAMLOption<Value>) -> Value? {
        guard let entry = entries[option.facts.name] else {
            if option.facts.absence == .refused {
                context.errors.add(
                    "\(title) lacks '\(option.facts.name)'", at: SourceSpan(start: span.start, end: span.start),
                    hint: "for example '\(option.facts.name): \(option.facts.example)'")
            }
            return nil
        }
        return context.value(of: entry.value, for: option.facts).flatMap(option.type.typed)
    }

    /// The value of an option; its default when it isn't there, and when it is wrong.
    func value<Value>(_ option: DefaultedOption<Value>) -> Value {
        guard let entry = entries[option.facts.name],
            let value = context.value(of: entry.value, for: option.facts).flatMap(option.type.typed)
        else { return option.fallback }
        return value
    }

    /// The node of an option or of an inner block, when it is there.
    func node(_ name: String) -> YAMLNode? { entries[name]?.value }

    /// The place of an item in an option's list.
    func span(of item: String, in name: String) -> SourceSpan {
        guard case .list(let items) = node(name)?.content else { return span(of: name) }
        let found = items.first { node in
            if case .scalar(let text, _) = node.content { return text == item }
            return false
        }
        return found?.span ?? span(of: name)
    }

    /// The place of an option's value, else that of the block.
    func span(of name: String) -> SourceSpan { entries[name]?.value.span ?? span }
}

// Options that only exist beside certain others.
extension BlockReader {
    private static func title(of block: OptionBlock) -> String {
        if case .list(let noun) = block.shape { return "this \(noun)" }
        return block.name
    }

    /// Forgets an option whose conditions don't hold, and says so.
    private mutating func refuseMisplaced(_ entry: YAMLNode.Entry) {
        // One name may have several meanings, each under its own condition.
        let meanings = block.options.filter { $0.name == entry.name }
        var broken: [OptionFacts.Condition] = []
        for meaning in meanings {
            guard let condition = meaning.conditions.first(where: { holds($0) == false }) else { return }
            broken.append(condition)
        }
        guard let first = broken.first, let actual = written(first.option) else { return }
        entries[entry.name] = nil
        let allowed = broken.filter { $0.option == first.option }.flatMap(\.values)
        let message: String
        if first.option == "kind", case .list(let noun) = block.shape {
            let owners = allowed.dropLast().joined(separator: ", ") + (allowed.count > 1 ? " and " : "")
            let last = allowed.last ?? ""
            message = "'\(entry.name)' belongs to \(owners)\(last) \(noun)s; this is a \(actual) \(noun)"
        } else {
            let owners = allowed.joined(separator: " or ")
            message = "'\(entry.name)' belongs to '\(first.option): \(owners)'; here \(first.option) is \(actual)"
        }
        context.errors.add(message, at: entry.key.span)
    }

    /// nil while the other option's value isn't known, so that one mistake makes one error.
    private func holds(_ condition: OptionFacts.Condition) -> Bool? {
        written(condition.option).map { condition.values.contains($0) }
    }

    /// A word or flag as it is written or defaults; nil when it is missing or wrong.
    private func written(_ name: String) -> String? {
        guard let facts = block.options.first(where: { $0.name == name }) else { return nil }
        if let entry = entries[name] {
            switch (facts.form, entry.value.content, entry.value.resolution) {
            case (.choice(let words), .scalar(let word, _), .text): return words.contains(word) ? word : nil
            case (.flag, _, .flag(let flag)): return String(flag)
            default: return nil
            }
        }
        switch facts.absence {
        case .defaults(to: .text(let word)): return word
        case .defaults(to: .flag(let flag)): return String(flag)
        default: return nil
        }
    }

    private func refuseAlternatives() {
        let given = block.alternatives.compactMap { entries[$0] }.sorted { $0.key.span.start < $1.key.span.start }
        guard let first = given.first else { return }
        for other in given.dropFirst() {
            context.errors.add(
                "'\(other.name)' can't stand beside '\(first.name)'", at: other.key.span,
                hint: "keep one of \(block.alternatives.joined(separator: ", "))")
        }
    }
}
