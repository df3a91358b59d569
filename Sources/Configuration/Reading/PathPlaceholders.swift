import Streams

/// The syntax of the placeholders `{label}`, `{source}` and `{date}` in a file sink's path, with hints.
enum PathPlaceholders {
    /// Returns the first unknown placeholder or unpaired brace; nil if there is none.
    static func flaw(in path: String) -> Variables.Flaw? {
        var rest = path[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            rest = rest[brace...]
            guard rest.hasPrefix("{"), let end = rest.firstIndex(of: "}") else {
                return Variables.Flaw(
                    part: String(rest.prefix(1)), message: "an unbalanced brace", hint: "known are \(known)")
            }
            let part = rest[...end]
            let name = String(part.dropFirst().dropLast())
            guard PathTemplate.placeholders.contains(name) else {
                let near = NearestName.find(name, among: PathTemplate.placeholders).map { "did you mean '{\($0)}'?" }
                return Variables.Flaw(
                    part: String(part), message: "\(YAMLText.shown(String(part))) isn't a placeholder",
                    hint: near ?? "known are \(known)")
            }
            rest = rest[rest.index(after: end)...]
        }
        return nil
    }

    /// Returns the first placeholder in a path that must not contain any.
    static func first(in path: String) -> String? {
        PathTemplate.placeholders.map { "{\($0)}" }.first { path.contains($0) }
    }

    private static let known = PathTemplate.placeholders.map { "{\($0)}" }.joined(separator: ", ")
}
