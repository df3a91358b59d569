import Diagnostics

/// Text from a file, escaped for messages, for small JSON files, and for HTML. Records escape less: see
/// `ByteBuffer.appendJSONEscaped`.
public enum Quoting {
    /// A name from a file for a one-line message: quoted as JSON, control characters escaped, cut if very long.
    public static func name(_ name: String) -> String {
        let longest = 120
        let shown = name.unicodeScalars.count > longest ? String(name.unicodeScalars.prefix(longest)) + "…" : name
        return json(shown)
    }

    /// `text` as a JSON string literal, quotes included; characters for which `PrintableText.isUnsafe` is true are
    /// escaped, so that it always fits on one line and can be displayed.
    public static func json(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if PrintableText.isUnsafe(scalar) {
                    let digits = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - min(4, digits.count)) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }

    /// `text` for HTML, SVG and attribute values in quotes. Control characters and direction marks become U+FFFD, so
    /// that a label can't rearrange the page.
    public static func html(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(PrintableText.isUnsafe(scalar) ? "\u{fffd}" : scalar)
            }
        }
        return out
    }
}
