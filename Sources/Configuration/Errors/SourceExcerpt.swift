/// A source line with a caret under a place of it, as a terminal shows them.
struct SourceExcerpt: CustomStringConvertible {
    /// The most characters of a line that are shown before the caret and from it on.
    private static let before = 80
    private static let behind = 60

    private let shown: [Unicode.Scalar]
    private let caret: Int
    private let width: Int

    /// Marks `span` as far as it reaches in `line`.
    init(_ line: String, span: SourceSpan) {
        let scalars = Array(line.unicodeScalars)
        let column = min(span.start.column, scalars.count)
        let end = span.end.line == span.start.line ? min(span.end.column, scalars.count) : scalars.count
        let first = max(0, column - Self.before)
        let last = min(scalars.count, column + Self.behind)
        var shown = Array(scalars[first..<last])
        // A cut is shown in place of the outermost character, so that columns stay.
        if first > 0 { shown[0] = "…" }
        if last < scalars.count, !shown.isEmpty { shown[shown.count - 1] = "…" }
        self.shown = shown.map { $0 == "\t" || YAMLText.isPrintable($0) ? $0 : "\u{FFFD}" }
        caret = column - first
        width = max(1, min(end, last) - column)
    }

    var description: String {
        var line = String.UnicodeScalarView()
        line.append(contentsOf: shown)
        var marks = ""
        for scalar in shown.prefix(caret) {
            // A tab under a tab is as wide as it, whatever the terminal's stops are.
            marks += scalar == "\t" ? "\t" : String(repeating: " ", count: Self.columns(scalar))
        }
        let marked = shown.dropFirst(caret).prefix(width).reduce(0) { $0 + Self.columns($1) }
        marks += "^" + String(repeating: "~", count: max(0, marked - 1))
        return String(line) + "\n" + marks
    }

    /// Columns that a terminal gives to a scalar: UAX #11 (wide and full-width), and nothing for combining marks.
    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
