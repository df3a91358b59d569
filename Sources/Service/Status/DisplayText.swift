import Pages

/// Makes untrusted text from lines, labels and names safe to display: it can't move the cursor, reverse the reading
/// direction or fill the screen.
package enum DisplayText {
    /// Returns `text` with `�` for control characters, line ends, bidirectional controls and other invisible
    /// characters, and a space for a tab. The result has at most `columns` columns and ends with `…` if it was
    /// shortened. Reads no further than necessary.
    package static func clean(_ text: String, columns: Int) -> String {
        var result = String.UnicodeScalarView()
        var used = 0
        // The length to cut at if the text is too long: the part that fits before the ellipsis.
        var fitting = 0
        var count = 0
        var marks = 0
        for scalar in text.unicodeScalars {
            let shown: Unicode.Scalar = scalar == "\t" ? " " : isHarmful(scalar) ? "\u{FFFD}" : scalar
            let width = width(of: shown)
            // Many combining marks on one letter would cover the lines around it.
            marks = width == 0 ? marks + 1 : 0
            if marks > 4 { continue }
            if used + width > columns {
                return String(String.UnicodeScalarView(result.prefix(fitting))) + (columns > 0 ? "…" : "")
            }
            result.append(shown)
            count += 1
            used += width
            if used < columns { fitting = count }
        }
        return String(result)
    }

    /// Width in terminal columns.
    package static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    /// Returns `text` padded with spaces to `columns`.
    static func padded(_ text: String, _ columns: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, columns - width(text)))
        return right ? space + text : text + space
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Format characters are bidirectional controls, zero-width characters and tags. Joiners are replaced as well.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    /// Source: Unicode Standard Annex 11, East Asian Width: W and F take two columns; combining marks take none.
    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x20..<0x7F: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x1FA70...0x1FAFF,
            0x20000...0x3FFFD:
            return 2
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }
}

extension HTML {
    /// Inserts untrusted text from a line, name or label: dangerous characters are made visible, and it is shortened.
    init(foreign text: String, columns: Int) { self = "\(DisplayText.clean(text, columns: columns))" }
}
