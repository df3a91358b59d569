import Configuration

/// The JSON Schema of the configuration file, made from the blocks of options.
///
/// Conditions are `if`/`then` pairs, which every draft since 7 has: editors that don't know 2020-12 yet can follow.
enum SchemaText {
    static var text: String {
        var root: [(String, JSONText)] = [
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            ("title", .text("Configuration of understudy")),
            ("type", .text("object")),
            ("additionalProperties", .flag(false)),
            ("required", .list(Settings.block.facts.blocks.filter { $0.absence == .refused }.map { .text($0.name) })),
        ]
        root.append(("properties", .object(Settings.block.facts.blocks.map { ($0.name, schema(of: $0)) })))
        return JSONText.object(root).written() + "\n"
    }

    // MARK: Blocks

    private static func schema(of block: OptionBlock) -> JSONText {
        guard case .list = block.shape else { return mapping(block, meaning: described(block)) }
        return .object([
            ("description", .text(described(block))), ("type", .text("array")), ("minItems", .number("1")),
            ("maxItems", .number(String(BlockReader.mostItems))), ("items", mapping(block, meaning: nil)),
        ])
    }

    private static func described(_ block: OptionBlock) -> String {
        guard case .means(let meaning) = block.absence else { return block.meaning }
        return "\(block.meaning) Left out: \(meaning)."
    }

    private static func mapping(_ block: OptionBlock, meaning: String?) -> JSONText {
        let required = block.options.filter { $0.absence == .refused && $0.conditions.isEmpty }.map(\.name)
        // A name without anything below it is as good as no block, unless something is required.
        let type: JSONText =
            required.isEmpty && meaning != nil ? .list([.text("object"), .text("null")]) : .text("object")
        var parts: [(String, JSONText)] = [("type", type), ("additionalProperties", .flag(false))]
        if let meaning { parts.insert(("description", .text(meaning)), at: 0) }
        if !required.isEmpty { parts.append(("required", .list(required.map { .text($0) }))) }
        var properties: [(String, JSONText)] = []
        for option in block.options where !properties.contains(where: { $0.0 == option.name }) {
            let meanings = block.options.filter { $0.name == option.name }
            properties.append(
                (option.name, meanings.count == 1 ? schema(of: option) : .object([("type", typeName(option))])))
        }
        properties += block.blocks.map { ($0.name, schema(of: $0)) }
        parts.append(("properties", .object(properties)))
        let rules = conditions(of: block) + alternatives(of: block)
        if !rules.isEmpty { parts.append(("allOf", .list(rules))) }
        return .object(parts)
    }

    // MARK: Options

    private static func typeName(_ option: OptionFacts) -> JSONText {
        switch option.form {
        case .flag: .text("boolean")
        case .count: .text("integer")
        case .number: .text("number")
        case .list: .text("array")
        default: .text("string")
        }
    }

    static func schema(of option: OptionFacts) -> JSONText {
        var description = option.meaning
        if case .means(let meaning) = option.absence { description += " Left out: \(meaning)." }
        var parts: [(String, JSONText)] = [("description", .text(description)), ("type", typeName(option))]
        switch option.form {
        case .choice(let words): parts.append(("enum", .list(words.map { .text($0) })))
        case .flag: break
        case .count(let range):
            parts.append(("minimum", .number(String(range.lowerBound))))
            parts.append(("maximum", .number(String(range.upperBound))))
        case .number(let range):
            parts.append(("minimum", .number(OptionValue.text(range.lowerBound))))
            parts.append(("maximum", .number(OptionValue.text(range.upperBound))))
        case .text: parts.append(("minLength", .number("1")))
        case .name:
            parts.append(("maxLength", .number(String(NameRule.longest))))
            parts.append(("pattern", .text(NameRule.pattern)))
        case .path: parts.append(("pattern", .text("^([^$~]|\\$\\$|\(variable))([^$]|\\$\\$|\(variable))*$")))
        case .template:
            let part = "\\$\\$|\(variable)|\\{(label|source|date)\\}"
            parts.append(("pattern", .text("^([^$~{}]|\(part))([^${}]|\(part))*$")))
        case .permissions: parts.append(("pattern", .text("^0?[67][0-7]{2}$")))
        case .list(let least):
            if least > 0 { parts.append(("minItems", .number(String(least)))) }
            parts.append(("uniqueItems", .flag(true)))
            parts.append(("items", .object([("type", .text("string")), ("minLength", .number("1"))])))
        case .address:
            let loopback = "(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\]):[1-9][0-9]{0,4}"
            parts.append(("pattern", .text("^(unix:.+|\(loopback))$")))
        }
        if case .defaults(let value) = option.absence {
            parts.append(("default", json(value)))
        } else {
            let isNumber = [.text("integer"), .text("number")].contains(typeName(option))
            parts.append(("examples", .list([isNumber ? .number(option.example) : .text(option.example)])))
        }
        return .object(parts)
    }

    private static let variable = "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}"

    static func json(_ value: OptionValue) -> JSONText {
        switch value {
        case .text(let text): .text(text)
        case .flag(let flag): .flag(flag)
        case .count(let count): .number(String(count))
        case .number(let number): .number(OptionValue.text(number))
        case .list(let items): .list(items.map { .text($0) })
        }
    }

    // MARK: Rules between options

    private static func conditions(of block: OptionBlock) -> [JSONText] {
        var rules: [JSONText] = []
        var seen: [String] = []
        for option in block.options where !option.conditions.isEmpty && !seen.contains(option.name) {
            seen.append(option.name)
            let meanings = block.options.filter { $0.name == option.name }
            // Where the option is there, one of its meanings must hold.
            let allowed = meanings.map { holding($0.conditions, in: block) }
            rules.append(
                rule(
                    if: .object([("required", .list([.text(option.name)]))]),
                    then: allowed.count == 1 ? allowed[0] : .object([("anyOf", .list(allowed))])))
            for meaning in meanings {
                let holds = holding(meaning.conditions, in: block)
                if meaning.absence == .refused {
                    rules.append(rule(if: holds, then: .object([("required", .list([.text(option.name)]))])))
                }
                if meanings.count > 1 {
                    let property = JSONText.object([(option.name, schema(of: meaning))])
                    rules.append(rule(if: holds, then: .object([("properties", property)])))
                }
            }
        }
        return rules
    }

    /// All conditions hold; an option with a default may be absent where the default is allowed.
    private static func holding(_ conditions: [OptionFacts.Condition], in block: OptionBlock) -> JSONText {
        var required: [JSONText] = []
        var properties: [(String, JSONText)] = []
        for condition in conditions {
            guard let facts = block.options.first(where: { $0.name == condition.option }) else { continue }
            let values: [JSONText] =
                facts.form == .flag
                ? condition.values.map { .flag($0 == "true") } : condition.values.map { .text($0) }
            properties.append((condition.option, .object([("enum", .list(values))])))
            if case .defaults(let value) = facts.absence, values.contains(json(value)) { continue }
            required.append(.text(condition.option))
        }
        var parts: [(String, JSONText)] = [("properties", .object(properties))]
        if !required.isEmpty { parts.append(("required", .list(required))) }
        return .object(parts)
    }

    private static func alternatives(of block: OptionBlock) -> [JSONText] {
        var pairs: [JSONText] = []
        for (index, one) in block.alternatives.enumerated() {
            for other in block.alternatives[(index + 1)...] {
                pairs.append(.object([("required", .list([.text(one), .text(other)]))]))
            }
        }
        return pairs.isEmpty ? [] : [.object([("not", .object([("anyOf", .list(pairs))]))])]
    }

    private static func rule(if condition: JSONText, then consequence: JSONText) -> JSONText {
        .object([("if", condition), ("then", consequence)])
    }
}
