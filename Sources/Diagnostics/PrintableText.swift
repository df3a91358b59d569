/// External text, escaped for a terminal and a log, and its layout there.
public enum PrintableText {
    /// Escapes control characters, line ends and direction marks as `\u{…}`: they could rewrite the screen or the line.
    public static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    public static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.properties.isBidiControl
        default: false
        }
    }

    /// A table with columns two spaces apart: those in `leftAligned` are left-aligned, the others right-aligned; each
    /// row with its newline.
    public static func table(_ rows: [[String]], leftAligned: Set<Int> = [0]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? terminalColumns($0[column]) : 0 }.max() ?? 0
        }
        var text = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - terminalColumns(cell))
                if column > 0 { line += "  " }
                line += leftAligned.contains(column) ? cell + padding : padding + cell
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }

    /// The beginning of `text` that fits into `columns` terminal columns, followed by `…` if something is cut off.
    public static func cut(_ text: String, columns: Int) -> String {
        var kept = String.UnicodeScalarView()
        var used = 0
        for scalar in text.unicodeScalars {
            used += terminalColumns(String(scalar))
            if used > columns { return String(kept) + "…" }
            if used < columns { kept.append(scalar) }
        }
        return text
    }

    /// The number of terminal columns of the text: two for East Asian wide characters, none for combining marks.
    public static func terminalColumns(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { columns, scalar in
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return columns
            default: break
            }
            // The wide and full-width blocks of Unicode's EastAsianWidth.
            switch scalar.value {
            case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
                0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
                return columns + 2
            default: return columns + 1
            }
        }
    }
}
