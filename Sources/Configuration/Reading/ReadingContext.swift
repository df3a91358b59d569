/// What all readers of a file share: the environment, the errors, and what must be unique. Not thread-safe.
final class ReadingContext {
    /// The whole file.
    let file: OptionBlock
    let errors: ErrorCollector
    let environment: [String: String]
    var claims = PathClaims()
    var sources = NameRegister(of: "source")
    var sinks = NameRegister(of: "sink")

    init(file: OptionBlock, errors: ErrorCollector, environment: [String: String]) {
        self.file = file
        self.errors = errors
        self.environment = environment
    }
}

// Readers of one value, by form. Each returns nil after reporting an error.
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
                hint: "write \"\(text)\", since YAML reads \(text) as a decimal number")
            return nil
        }
        return .text(text)
    }

    /// Reads non-empty text. Text that YAML resolves to another type must be quoted.
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
                "\(owner)'\(option.name)' must be text, and YAML reads \(text) as \(node.description)",
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
        // For words and flags the message lists all values already.
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

// Readers of texts, by form: words, names, paths, addresses.
extension ReadingContext {
    func checked(_ text: String, _ node: YAMLNode, _ option: OptionFacts) -> OptionValue? {
        switch option.form {
        case .choice(let words):
            if words.contains(text) { return .text(text) }
            let near = NearestName.find(text, among: words).map { "did you mean '\($0)'?" }
            errors.add(
                "'\(option.name)' is \(YAMLText.shown(text)); it must be one of \(words.joined(separator: ", "))",
                at: node.span, hint: near)
            return nil
        case .name:
            if NameRule.allows(text) { return .text(text) }
            errors.add(
                "'\(option.name)' must have 1 … \(NameRule.longest) characters without spaces and slashes, and not "
                    + "start with a dot",
                at: node.span)
            return nil
        case .path, .template: return path(text, node, option).map { .text($0) }
        case .address: return address(text, node, option)
        default: return .text(text)
        }
    }

    private func path(_ text: String, _ node: YAMLNode, _ option: OptionFacts) -> String? {
        guard let path = expanded(text, node, option) else { return nil }
        if path.hasPrefix("~") {
            errors.add(
                "'\(option.name)' starts with ~, which isn't expanded", at: node.span,
                hint: "write the path out")
            return nil
        }
        // PATH_MAX (4096) without the terminating zero.
        let longest = 4095
        guard path.utf8.count <= longest else {
            errors.add("'\(option.name)' is longer than the \(longest) bytes that a path may have", at: node.span)
            return nil
        }
        if option.form == .template {
            guard let flaw = PathPlaceholders.flaw(in: path) else { return path }
            report(flaw, node, option)
            return nil
        }
        if let placeholder = PathPlaceholders.first(in: path) {
            errors.add(
                "\(placeholder) works in the path of a file sink only",
                at: errors.span(of: placeholder, in: node.span))
            return nil
        }
        return path
    }

    private func address(_ text: String, _ node: YAMLNode, _ option: OptionFacts) -> OptionValue? {
        guard let text = expanded(text, node, option) else { return nil }
        let message: String
        switch AddressText.parse(text) {
        case .success: return .text(text)
        case .failure(.shape):
            message = "must be host:port or unix:/path, such as \(option.example)"
        case .failure(.port): message = "must end in a port within 1 … 65535"
        case .failure(.network):
            message =
                "must be on the loopback interface (127.0.0.1, [::1] or localhost) or a Unix socket; for others "
                + "on the network, put a proxy in front"
        case .failure(.socketPath):
            message = "must have an absolute path of at most \(AddressText.longestSocketPath) bytes after 'unix:'"
        }
        errors.add("'\(option.name)' \(message)", at: node.span)
        return nil
    }

    /// Replaces `${NAME}` and refuses control characters in the result.
    private func expanded(_ text: String, _ node: YAMLNode, _ option: OptionFacts) -> String? {
        switch Variables.expanded(text, environment) {
        case .failure(let flaw):
            report(flaw, node, option)
            return nil
        case .success(let path):
            guard path.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
                errors.add("a value of the environment holds a control character", at: node.span)
                return nil
            }
            return path
        }
    }

    private func report(_ flaw: Variables.Flaw, _ node: YAMLNode, _ option: OptionFacts) {
        errors.add("'\(option.name)': \(flaw.message)", at: errors.span(of: flaw.part, in: node.span), hint: flaw.hint)
    }
}

// Readers of numbers: plain decimals within the option's range.
extension ReadingContext {
    func count(_ node: YAMLNode, _ option: OptionFacts, _ range: ClosedRange<Int>) -> OptionValue? {
        guard let text = digits(node, option) else { return nil }
        guard let count = StrictNumber.whole(text) else {
            // A whole number beyond the range of `Int`.
            if StrictNumber.isWhole(text) { return outside(node, option, text) }
            return mismatch(node, option, hint: hint(for: text, option))
        }
        return range.contains(count) ? .count(count) : outside(node, option, text)
    }

    func number(_ node: YAMLNode, _ option: OptionFacts, _ range: ClosedRange<Double>) -> OptionValue? {
        guard let text = digits(node, option) else { return nil }
        guard let number = StrictNumber.decimal(text) else {
            return mismatch(node, option, hint: hint(for: text, option))
        }
        return range.contains(number) ? .number(number) : outside(node, option, text)
    }

    /// Returns the text of an unquoted scalar.
    private func digits(_ node: YAMLNode, _ option: OptionFacts) -> String? {
        guard case .scalar(let text, let isPlain) = node.content else { return mismatch(node, option) }
        guard isPlain else {
            let isNumber = StrictNumber.decimal(text) != nil
            return mismatch(node, option, hint: isNumber ? "leave the quotes out" : nil)
        }
        return text
    }

    private func outside<Result>(_ node: YAMLNode, _ option: OptionFacts, _ text: String) -> Result? {
        errors.add(
            "'\(option.name)' is \(YAMLText.shown(text)); it must be within \(option.form.range ?? "its range")",
            at: node.span)
        return nil
    }

    /// Returns the likely intended value of a malformed number.
    private func hint(for text: String, _ option: OptionFacts) -> String? {
        let bare = String(text.filter { $0 != "_" && $0 != "," })
        if bare != text, StrictNumber.decimal(bare) != nil { return "write \(bare)" }
        if text.hasPrefix("+"), StrictNumber.decimal(String(text.dropFirst())) != nil { return "leave the + out" }
        let trimmed = String(text.drop { $0 == "0" })
        if trimmed != text, StrictNumber.whole(trimmed) != nil { return "leave the leading 0 out" }
        if text.hasSuffix("%"), let percent = StrictNumber.decimal(String(text.dropLast())), percent.magnitude < 1e6 {
            return "write \(OptionValue.text(percent / 100))"
        }
        let unit = text.drop { $0.isNumber || $0 == "." }
        if text.first?.isNumber == true, !unit.isEmpty, unit.allSatisfy({ $0.isLetter || $0 == " " }) {
            return "write the number alone; the unit is in the option's name"
        }
        return nil
    }
}
