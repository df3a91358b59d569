/// The names of the sources or of the sinks, and the uses that only one of them may make.
struct NameRegister {
    let noun: String
    private var lines: [String: Int] = [:]
    private var users: [String: String] = [:]

    var names: [String] { lines.keys.sorted() }

    init(of noun: String) { self.noun = noun }

    /// Adds a name, and reports one that is in use.
    mutating func take(_ name: String, at span: SourceSpan, errors: ErrorCollector) {
        if let line = lines[name] {
            errors.add(
                "a \(noun) in line \(line + 1) is called \(YAMLText.shown(name)) already", at: span,
                hint: "give each \(noun) a unique name")
        } else {
            lines[name] = span.start.line
        }
    }

    /// Notes an exclusive use (`standard input is read`), and reports one that another makes.
    mutating func use(_ use: String, by name: String, at span: SourceSpan, errors: ErrorCollector) {
        if let user = users[use] {
            errors.add("\(use) by \(noun) \(YAMLText.shown(user)) already", at: span)
        }
        users[use] = name
    }
}
