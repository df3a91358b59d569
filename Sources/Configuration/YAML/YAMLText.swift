/// Writes values as YAML, and text from the file for messages.
enum YAMLText {
    /// Returns YAML that reads back as the same value: `"0660"`, `["*.txt"]`, `/run/understudy/wire`.
    static func value(_ value: OptionValue, form: OptionForm) -> String {
        switch (value, form) {
        case (.text(let text), .path), (.text(let text), .template), (.text(let text), .address):
            scalar(Variables.escaped(text))
        case (.text(let text), .permissions): quoted(text)
        case (.text(let text), _): scalar(text)
        case (.flag(let flag), _): String(flag)
        case (.count(let count), _): String(count)
        case (.number(let number), _): OptionValue.text(number)
        case (.list(let items), _): "[" + items.map(quoted).joined(separator: ", ") + "]"
        }
    }

    /// Omits the quotes where that is safe.
    static func scalar(_ text: String) -> String {
        let isPlain = text.unicodeScalars.enumerated().allSatisfy { index, scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "/", "_", ".": true
            case "-", "{", "}", "$", "+", "=", "@", ":": index > 0
            default: false
            }
        }
        let node = YAMLNode(content: .scalar(text, isPlain: true), span: .none)
        // A trailing colon would make it a key.
        return isPlain && node.resolution == .text && !text.hasSuffix(":") ? text : quoted(text)
    }

    /// Returns the text in double quotes.
    static func quoted(_ text: String) -> String {
        "\"" + escaped(text) + "\""
    }

    /// Returns a name or value in single quotes for a one-line message: escaped, and shortened if very long.
    static func shown(_ text: String) -> String {
        let longest = 60
        let isLong = text.unicodeScalars.count > longest
        let start = isLong ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(longest))) : text
        return "'" + escaped(start) + (isLong ? "…'" : "'")
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                if isPrintable(scalar) {
                    out.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let width = digits.utf8.count <= 4 ? 4 : 8
                    out += width == 4 ? "\\u" : "\\U"
                    out += String(repeating: "0", count: width - digits.utf8.count) + digits
                }
            }
        }
        return out
    }

    /// Returns whether a scalar needs no escape: it is no control, line separator, direction mark or non-character.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate: false
        default: true
        }
    }
}
