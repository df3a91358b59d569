import Bytes
import Diagnostics

/// HTML with automatic escaping: in `"<b>\(name)</b>"` a `String` is escaped and an `HTML` is inserted as it is.
package struct HTML: ExpressibleByStringInterpolation, Sendable {
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text: String

        package init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ html: HTML) { text += html.text }
        package mutating func appendInterpolation(_ value: Int) { text += String(value) }
        package mutating func appendInterpolation(_ value: String) { text += Quoting.html(value) }
    }

    package private(set) var text: String

    package init(stringLiteral text: String) { self.text = text }
    package init(stringInterpolation interpolation: StringInterpolation) { text = interpolation.text }

    private init(text: String) { self.text = text }

    package static func + (left: HTML, right: HTML) -> HTML { HTML(text: left.text + right.text) }

    package static func += (left: inout HTML, right: HTML) { left.text += right.text }

    package static func joined(_ parts: some Sequence<HTML>, separator: String = "") -> HTML {
        HTML(text: parts.map(\.text).joined(separator: separator))
    }

    /// An external name, isolated from the direction of the text around it.
    package static func name(_ text: String) -> HTML { "<bdi>\(text)</bdi>" }

    /// As `NumberText.percent`, but without a line break before the sign.
    package static func percent(_ share: Double, digits: Int = 1) -> String {
        NumberText.fixed(share * 100, digits: digits) + "\u{a0}%"
    }
}
