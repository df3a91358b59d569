/// Text from outside as it may stand in a log line.
package enum VisibleText {
    /// Control and format characters and line separators as escapes; all else as it is.
    package static func message(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars { append(scalar, to: &shown) }
        return shown
    }

    /// The same, in quotes if it holds a space, a quote, a backslash or `=`, or nothing.
    package static func value(_ text: String) -> String {
        let needsQuotes = text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        guard needsQuotes else { return message(text) }
        var shown = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { shown += "\\" }
            append(scalar, to: &shown)
        }
        return shown + "\""
    }

    private static func append(_ scalar: Unicode.Scalar, to shown: inout String) {
        switch scalar {
        case "\n": shown += "\\n"
        case "\r": shown += "\\r"
        case "\t": shown += "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
    }
}
