import Configuration

/// The smallest file in which an option may stand, made from the blocks of options.
enum TableDocument {
    /// All options of the file, each with the block it stands in and, for an inner one, the block around that.
    static var options: [(option: OptionFacts, block: OptionBlock, outer: OptionBlock?)] {
        Settings.block.facts.blocks.flatMap { block in
            block.options.map { ($0, block, nil) }
                + block.blocks.flatMap { inner in inner.options.map { ($0, inner, block) } }
        }
    }

    /// A file with `option` at `value`, a text in YAML's flow style, and whatever must stand beside it.
    static func text(_ option: OptionFacts, _ value: String, in block: OptionBlock, outer: OptionBlock?) -> String {
        var body = mapping(option, value, in: block)
        if let outer {
            let required = outer.options.filter { $0.absence == .refused }.map { "\($0.name): \($0.example)" }
            body = "{" + (required + ["\(block.name): \(body)"]).joined(separator: ", ") + "}"
        }
        switch block.name {
        case "sources": return "sources: [\(body)]\n" + leastSink
        case "sinks": return "sources: [{name: wire, kind: stdin}]\nsinks: [\(body)]\n"
        default: return least + "\(outer?.name ?? block.name): \(body)\n"
        }
    }

    private static func mapping(_ option: OptionFacts, _ value: String, in block: OptionBlock) -> String {
        var values: [(name: String, value: String)] = []
        for condition in option.conditions { values.append((condition.option, condition.values[0])) }
        // The option may be one that others hang on.
        values.removeAll { $0.name == option.name }
        values.append((option.name, value))
        // Required options whose own conditions hold beside those.
        var before = -1
        while values.count > before {
            before = values.count
            for other in block.options
            where other.absence == .refused && !values.contains(where: { $0.name == other.name }) {
                let holds = other.conditions.allSatisfy { condition in
                    values.contains { $0.name == condition.option && condition.values.contains($0.value) }
                }
                if holds { values.append((other.name, other.name == "kind" ? kind(in: block) : other.example)) }
            }
        }
        return "{" + values.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}"
    }

    private static func kind(in block: OptionBlock) -> String { block.name == "sources" ? "stdin" : "stdout" }
}
