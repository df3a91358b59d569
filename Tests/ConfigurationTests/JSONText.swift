/// JSON with its keys in the order in which they were given.
indirect enum JSONText: Equatable {
    case text(String)
    case number(String)
    case flag(Bool)
    case list([JSONText])
    case object([(String, JSONText)])

    static func == (left: JSONText, right: JSONText) -> Bool { left.written() == right.written() }

    /// Indented by two spaces; what fits in a line stays in one.
    func written(_ indentation: String = "") -> String {
        let short = oneLine
        if indentation.count + short.count <= 100, !isLarge { return short }
        let inner = indentation + "  "
        switch self {
        case .list(let items):
            return "[\n" + items.map { inner + $0.written(inner) }.joined(separator: ",\n") + "\n\(indentation)]"
        case .object(let entries):
            let lines = entries.map { "\(inner)\(Self.quoted($0.0)): \($0.1.written(inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
        default: return short
        }
    }

    /// Whether objects are nested two deep.
    private var isLarge: Bool {
        guard case .object(let entries) = self else { return false }
        return entries.contains {
            if case .object = $0.1 { return true }
            return false
        }
    }

    private var oneLine: String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .number(let number): number
        case .flag(let flag): String(flag)
        case .list(let items): "[" + items.map(\.oneLine).joined(separator: ", ") + "]"
        case .object(let entries):
            entries.isEmpty
                ? "{}" : "{ " + entries.map { "\(Self.quoted($0.0)): \($0.1.oneLine)" }.joined(separator: ", ") + " }"
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
    }
}
