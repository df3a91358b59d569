/// HTML with automatic escaping: in `"<b>\(name)</b>"` a `String` is escaped and an `HTML` is inserted as it is.
struct HTML: ExpressibleByStringInterpolation {
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text: String

        init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ html: HTML) { text += html.text }
        mutating func appendInterpolation(_ value: Int) { text += String(value) }
        mutating func appendInterpolation(_ value: String) { HTML.escape(value, to: &text) }
    }

    let text: String

    /// Inserts untrusted text from a line, name or label: dangerous characters are made visible, and it is shortened.
    init(foreign text: String, columns: Int) {
        self.init(stringInterpolation: StringInterpolation(DisplayText.clean(text, columns: columns)))
    }

    init(stringLiteral text: String) { self.text = text }
    init(stringInterpolation interpolation: StringInterpolation) { text = interpolation.text }

    private init(text: String) { self.text = text }

    static func + (left: HTML, right: HTML) -> HTML { HTML(text: left.text + right.text) }

    static func joined(_ parts: some Sequence<HTML>) -> HTML { HTML(text: parts.map(\.text).joined()) }

    private static func escape(_ value: String, to text: inout String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

extension HTML.StringInterpolation {
    fileprivate init(_ value: String) {
        self.init(literalCapacity: value.utf8.count, interpolationCount: 0)
        appendInterpolation(value)
    }
}
