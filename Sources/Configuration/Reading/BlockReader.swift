/// Reads one mapping by its block. It refuses misplaced options first, then returns values by option.
package struct BlockReader {
    let block: OptionBlock
    /// The position of the mapping, or where it is missing.
    let span: SourceSpan
    let context: ReadingContext
    private var entries: [String: YAMLNode.Entry] = [:]
    /// The name of the block in messages: `cascade`, `this source`.
    private let title: String

    /// Reads a missing or empty block: all options are absent.
    init(absent block: OptionBlock, at span: SourceSpan, context: ReadingContext) {
        self.block = block
        self.span = span
        self.context = context
        title = Self.title(of: block)
    }

    /// Returns nil, and reports an error, if the node isn't a mapping.
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
                hint: UnknownName.hint(entry.name, in: block, of: context.file))
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

    /// Returns the value of an option; nil if it is absent or wrong. Reports the absence of a required option.
    func value(of option: OptionFacts) -> OptionValue? {
        guard let entry = entries[option.name] else {
            if option.absence == .refused {
                context.errors.add(
                    "\(title) lacks '\(option.name)'", at: SourceSpan(start: span.start, end: span.start),
                    hint: "for example '\(option.name): \(option.example)'")
            }
            return nil
        }
        return context.value(of: entry.value, for: option)
    }

    /// Returns whether the file has the option or nested block.
    func has(_ name: String) -> Bool { entries[name] != nil }

    /// Returns the node of an option or nested block; nil if it is absent.
    func node(_ name: String) -> YAMLNode? { entries[name]?.value }

    /// Returns the position of an item in an option's list.
    func span(of item: String, in name: String) -> SourceSpan {
        guard case .list(let items) = node(name)?.content else { return span(of: name) }
        let found = items.first { node in
            if case .scalar(let text, _) = node.content { return text == item }
            return false
        }
        return found?.span ?? span(of: name)
    }

    /// Returns the position of an option's value, or of the block if it is absent.
    func span(of name: String) -> SourceSpan { entries[name]?.value.span ?? span }
}

// Options that depend on other options.
extension BlockReader {
    private static func title(of block: OptionBlock) -> String {
        if case .list(let noun) = block.shape { return "this \(noun)" }
        return block.name
    }

    /// Returns whether the conditions of an option hold. An option with a wrong value counts as absent.
    func isAllowed(_ option: OptionFacts) -> Bool {
        option.conditions.allSatisfy { condition in
            (word(condition.option) ?? fallback(of: condition.option)).map(condition.values.contains) ?? false
        }
    }

    /// Removes and reports an option whose conditions don't hold.
    private mutating func refuseMisplaced(_ entry: YAMLNode.Entry) {
        // A name may be defined several times, each time with its own condition.
        let meanings = block.options.filter { $0.name == entry.name }
        var broken: [OptionFacts.Condition] = []
        for meaning in meanings {
            guard let condition = meaning.conditions.first(where: { holds($0) == false }) else { return }
            broken.append(condition)
        }
        guard let first = broken.first, let actual = word(first.option) else { return }
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

    /// Returns nil while the other option's value is unknown, so that one mistake causes one error.
    private func holds(_ condition: OptionFacts.Condition) -> Bool? {
        word(condition.option).map { condition.values.contains($0) }
    }

    /// Returns a word or flag from the file or its default; nil if it is missing or wrong.
    func word(_ name: String) -> String? {
        guard let entry = entries[name] else { return fallback(of: name) }
        let form = block.options.first { $0.name == name }?.form
        switch (form, entry.value.content, entry.value.resolution) {
        case (.choice(let words)?, .scalar(let word, _), .text): return words.contains(word) ? word : nil
        case (.flag?, _, .flag(let flag)): return String(flag)
        default: return nil
        }
    }

    private func fallback(of name: String) -> String? {
        switch block.options.first(where: { $0.name == name })?.absence {
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
                "'\(other.name)' can't be combined with '\(first.name)'", at: other.key.span,
                hint: "keep one of \(block.alternatives.joined(separator: ", "))")
        }
    }
}

/// The hint at an unknown option.
enum UnknownName {
    /// Suggests the nearest name of the block, else the blocks that have an option of this name, else lists the known
    /// names.
    static func hint(_ name: String, in block: OptionBlock, of file: OptionBlock) -> String {
        if let near = NearestName.find(name, among: block.names) { return "did you mean '\(near)'?" }
        if let home = file.blocks(with: name).first { return "it belongs to \(home)" }
        return "known are " + unique(block.names).joined(separator: ", ")
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

/// Suggests the known name that was probably meant.
package enum NearestName {
    /// Returns the nearest name; nil if more than a third of the letters, and more than one, differ.
    package static func find(_ name: String, among names: [String]) -> String? {
        let longest = 64
        let wanted = folded(name)
        guard !wanted.isEmpty, wanted.count <= longest else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in names {
            let distance = distance(wanted, folded(candidate))
            let allowed = max(1, max(wanted.count, candidate.utf8.count) / 3)
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Case and the kind of dash are ignored.
    private static func folded(_ name: String) -> [Character] {
        name.lowercased().map { $0 == "-" || $0 == " " ? "_" : $0 }
    }

    /// Optimal string alignment distance: insertions, deletions, substitutions and swaps of adjacent characters.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var least = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
                let isSwap = row > 0 && column > 0 && character == right[column - 1] && left[row - 1] == other
                if isSwap { least = min(least, beforeLast[column - 1] + 1) }
                current.append(least)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
