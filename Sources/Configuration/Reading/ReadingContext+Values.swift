// One value of the file by its form. Each returns nil after reporting what is wrong.
extension ReadingContext {
    func value(of node: YAMLNode, for option: OptionFacts) -> OptionValue? {
        if case .refused = node.content { return nil }
        if node.isNull {
            errors.add(
                "'\(option.name)' has no value", at: node.span,
                hint: "write '\(option.name): \(option.example)', or leave the line out")
            return nil
        }
        switch option.form {
        case .flag: return flag(node, option)
        case .count(let range): return count(node, option, range)
        case .number(let range): return number(node, option, range)
        case .list(let least): return list(node, option, least: least)
        case .permissions: return permissions(node, option)
        case .choice, .text, .name, .path, .template, .address:
            guard let text = text(node, option) else { return nil }
            return checked(text, node, option)
        }
    }

    private func flag(_ node: YAMLNode, _ option: OptionFacts) -> OptionValue? {
        if case .flag(let flag) = node.resolution { return .flag(flag) }
        guard case .scalar(let text, _) = node.content else { return mismatch(node, option) }
        let word = text.lowercased()
        let yes = ["yes", "on", "y", "true", "1"]
        let no = ["no", "off", "n", "false", "0"]
        guard yes.contains(word) || no.contains(word) else { return mismatch(node, option) }
        return mismatch(node, option, hint: "write \(yes.contains(word)), without quotes")
    }

    private func list(_ node: YAMLNode, _ option: OptionFacts, least: Int) -> OptionValue? {
        guard case .list(let nodes) = node.content else {
            guard case .scalar(let text, _) = node.content else { return mismatch(node, option) }
            return mismatch(node, option, hint: "write [\(YAMLText.quoted(String(text.prefix(60))))]")
        }
        var items: [String] = []
        var seen: Set<String> = []
        var isWhole = true
        for item in nodes {
            if item.isNull {
                errors.add("an item of '\(option.name)' is empty", at: item.span)
                isWhole = false
            } else if let text = text(item, option, of: "an item of ") {
                if seen.insert(text).inserted {
                    items.append(text)
                } else {
                    errors.add("\(YAMLText.shown(text)) is in '\(option.name)' twice", at: item.span)
                    isWhole = false
                }
            } else {
                isWhole = false
            }
        }
        guard isWhole else { return nil }
        guard items.count >= least else {
            errors.add("'\(option.name)' must have at least \(least) item", at: node.span)
            return nil
        }
        return .list(items)
    }

    private func permissions(_ node: YAMLNode, _ option: OptionFacts) -> OptionValue? {
        guard case .scalar(let text, let isPlain) = node.content else { return mismatch(node, option) }
        guard Permissions.bits(text) != nil else {
            errors.add(
                "'\(option.name)' is \(YAMLText.shown(text)); it must be three or four octal digits in quotes that let "
                    + "the owner read and write, such as \(option.example)",
                at: node.span)
            return nil
        }
        guard !isPlain else {
            errors.add(
                "'\(option.name)' must be in quotes", at: node.span,
                hint: "write \"\(text)\", since YAML takes \(text) for a decimal number")
            return nil
        }
        return .text(text)
    }

    /// Text that isn't empty, in quotes where YAML would take it for something else.
    private func text(_ node: YAMLNode, _ option: OptionFacts, of owner: String = "") -> String? {
        guard case .scalar(let text, _) = node.content else {
            if case .refused = node.content { return nil }
            if owner.isEmpty { return mismatch(node, option) }
            errors.add("\(owner)'\(option.name)' must be text, not \(node.description)", at: node.span)
            return nil
        }
        if node.resolution != .text {
            if case .choice = option.form { return mismatch(node, option) }
            errors.add(
                "\(owner)'\(option.name)' must be text, and YAML takes \(text) for \(node.description)",
                at: node.span, hint: "write \(YAMLText.quoted(text))")
            return nil
        }
        if text.isEmpty {
            errors.add("\(owner)'\(option.name)' is empty", at: node.span)
            return nil
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            errors.add("\(owner)'\(option.name)' holds a control character", at: node.span)
            return nil
        }
        return text
    }

    /// Reports a value of the wrong type.
    func mismatch<Result>(_ node: YAMLNode, _ option: OptionFacts, hint: String? = nil) -> Result? {
        var actual = node.description
        if case .scalar(let text, let isPlain) = node.content {
            actual = isPlain ? YAMLText.shown(text) : "text in quotes"
        }
        // Words and flags are all named already.
        let example =
            switch option.form {
            case .choice, .flag: ""
            default: ", such as \(option.example)"
            }
        errors.add(
            "'\(option.name)' must be \(option.form.expectation)\(example), not \(actual)", at: node.span, hint: hint)
        return nil
    }
}
