/// `${NAME}` in paths.
enum Variables {
    /// Why a text can't be expanded, and the part that causes it.
    struct Flaw: Error, Equatable {
        var part: String
        var message: String
        var hint: String?
    }

    /// Replaces `${NAME}` by environment variables and `$$` by `$`.
    static func expanded(_ text: String, _ environment: [String: String]) -> Result<String, Flaw> {
        var out = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            out += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$$") {
                out += "$"
                rest = rest.dropFirst(2)
                continue
            }
            guard rest.hasPrefix("${"), let brace = rest.firstIndex(of: "}") else {
                let flaw = Flaw(
                    part: String(rest), message: "a $ without a variable name",
                    hint: "write ${NAME} for a value of the environment, $$ for a dollar")
                return .failure(flaw)
            }
            let part = rest[...brace]
            let name = String(part.dropFirst(2).dropLast())
            guard isName(name) else {
                let flaw = Flaw(
                    part: String(part), message: "\(YAMLText.shown(name)) can't be the name of an environment variable",
                    hint: "such a name has letters, digits and _")
                return .failure(flaw)
            }
            guard let value = environment[name], !value.isEmpty else { return .failure(missing(name, part)) }
            out += value
            rest = rest[rest.index(after: brace)...]
        }
        return .success(out + rest)
    }

    /// Returns a text that expands to `text`.
    static func escaped(_ text: String) -> String {
        text.contains("$") ? text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$") : text
    }

    private static func missing(_ name: String, _ part: Substring) -> Flaw {
        let isCredential = name == "CREDENTIALS_DIRECTORY"
        return Flaw(
            part: String(part), message: "the environment has no \(name)",
            hint: isCredential
                ? "systemd sets it for a unit with LoadCredential=" : "set it, for a unit with Environment=")
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }
}
