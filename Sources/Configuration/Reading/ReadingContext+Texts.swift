// Texts by their form: words, names, paths, addresses.
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
                "'\(option.name)' starts with ~, which stands for nothing here", at: node.span,
                hint: "write the path out")
            return nil
        }
        // PATH_MAX, with its closing zero.
        let longest = 4095
        guard path.utf8.count <= longest else {
            errors.add("'\(option.name)' is longer than the \(longest) bytes that a path may have", at: node.span)
            return nil
        }
        if option.form == .template {
            guard let flaw = PathTemplate.flaw(in: path) else { return path }
            report(flaw, node, option)
            return nil
        }
        if let placeholder = PathTemplate.placeholder(in: path) {
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

    /// With `${NAME}` replaced, and still a text without control characters.
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
