import Diagnostics

/// Text made safe for HTML, SVG and attribute values in double quotes.
package enum HTMLText {
    /// Escapes markup; control characters and direction marks become U+FFFD, so that a label can't rearrange the page.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(PrintableText.isUnsafe(scalar) ? "\u{fffd}" : scalar)
            }
        }
        return result
    }

    /// As `NumberText.percent`, but no line is broken before the sign.
    package static func percent(_ share: Double, digits: Int = 1) -> String {
        NumberText.fixed(share * 100, digits: digits) + "\u{a0}%"
    }

    /// A name from outside, kept apart from the direction of the text around it.
    package static func name(_ text: String) -> String { "<bdi>\(escaped(text))</bdi>" }
}
