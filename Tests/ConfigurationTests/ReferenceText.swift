import Configuration

/// The tables of docs/configuration.md, made from the blocks of options.
enum ReferenceText {
    /// Above this line the page is written by hand.
    static let marker = "<!-- From here on this page is written by the tests of the room Configuration. -->\n"

    static var text: String {
        Settings.block.facts.blocks.map { section($0, under: nil) }.joined(separator: "\n")
    }

    private static func section(_ block: OptionBlock, under parent: String?) -> String {
        let name = parent.map { "\($0).\(block.name)" } ?? block.name
        var text = "## `\(name)`\n\n\(block.meaning)"
        if case .list = block.shape { text += " A list, with at least one item." }
        if case .means(let meaning) = block.absence { text += " Left out: \(meaning)." }
        if !block.alternatives.isEmpty {
            text += " Of " + words(block.alternatives) + " at most one may be there."
        }
        text += "\n\n| option | value | unit | default | meaning |\n|---|---|---|---|---|\n"
        for option in block.options {
            let cells = [value(option), option.unit?.rawValue ?? "", absence(option), meaning(option)]
            text += "| `\(option.name)` | \(cells.joined(separator: " | ")) |\n"
        }
        for inner in block.blocks { text += "\n" + section(inner, under: block.name) }
        return text
    }

    private static func words(_ list: [String]) -> String { list.map { "`\($0)`" }.joined(separator: ", ") }

    private static func value(_ option: OptionFacts) -> String {
        switch option.form {
        case .choice(let choices): words(choices)
        case .flag: "`true`, `false`"
        case .count: "whole number, \(option.form.range ?? "")"
        case .number: "number, \(option.form.range ?? "")"
        case .text: "text"
        case .name: "name"
        case .path: "path"
        case .template: "path with placeholders"
        case .permissions: "octal digits in quotes"
        case .list: "list of texts"
        case .address: "address"
        }
    }

    private static func absence(_ option: OptionFacts) -> String {
        switch option.absence {
        case .refused: "must be there"
        case .means(let meaning): meaning
        case .defaults(.text(let text)): option.form == .permissions ? "`\"\(text)\"`" : "`\(text)`"
        case .defaults(let value): "`\(SchemaText.json(value).written())`"
        }
    }

    private static func meaning(_ option: OptionFacts) -> String {
        let conditions = option.conditions.map { "\($0.option) \($0.values.joined(separator: ", "))" }
        let prefix = conditions.isEmpty ? "" : "*\(conditions.joined(separator: "; ")):* "
        return prefix + option.meaning
    }
}
