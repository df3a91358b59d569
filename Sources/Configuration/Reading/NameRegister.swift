/// Names that are taken.
struct NameRegister {
    let noun: String
    private var lines: [String: Int] = [:]

    var names: [String] { lines.keys.sorted() }

    init(of noun: String) { self.noun = noun }

    /// Reports a name that is there already.
    mutating func take(_ name: String, at span: SourceSpan, errors: ErrorCollector) {
        if let line = lines[name] {
            errors.add(
                "a \(noun) in line \(line + 1) is called \(YAMLText.shown(name)) already", at: span,
                hint: "give each \(noun) a name of its own")
        } else {
            lines[name] = span.start.line
        }
    }
}
