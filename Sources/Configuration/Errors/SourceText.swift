/// The file's lines, split where libyaml counts a new one.
struct SourceText {
    private let bytes: [UInt8]
    /// Each line without its end, in bytes.
    private let lines: [Range<Int>]

    init(_ bytes: [UInt8]) {
        var lines: [Range<Int>] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            let width = Self.breakWidth(bytes, at: index)
            if width > 0 {
                lines.append(start..<index)
                start = index + width
            }
            index += max(1, width)
        }
        lines.append(start..<bytes.count)
        self.bytes = bytes
        self.lines = lines
    }

    /// A line without its end; empty beyond the last one. Bytes that aren't UTF-8 show as U+FFFD.
    func line(_ number: Int) -> String {
        guard lines.indices.contains(number) else { return "" }
        return String(decoding: bytes[lines[number]], as: UTF8.self)
    }

    /// The place of a byte.
    func mark(ofByte offset: Int) -> SourceMark {
        let line = lines.lastIndex { $0.lowerBound <= offset } ?? 0
        let range = lines[line]
        let before = bytes[range.lowerBound..<max(range.lowerBound, min(offset, range.upperBound))]
        return SourceMark(line: line, column: String(decoding: before, as: UTF8.self).unicodeScalars.count)
    }

    /// The place of `part` within the first line of `span`; nil when it isn't written there.
    func span(of part: String, in span: SourceSpan) -> SourceSpan? {
        let line = span.start.line
        let scalars = Array(self.line(line).unicodeScalars)
        let wanted = Array(part.unicodeScalars)
        let end = span.end.line == line ? min(span.end.column, scalars.count) : scalars.count
        guard !wanted.isEmpty, span.start.column <= end - wanted.count else { return nil }
        let start = (span.start.column...(end - wanted.count)).first { start in
            scalars[start..<(start + wanted.count)].elementsEqual(wanted)
        }
        return start.map { start in
            SourceSpan(
                start: SourceMark(line: line, column: start),
                end: SourceMark(line: line, column: start + wanted.count))
        }
    }

    /// Bytes of the line end at `index`: LF, CR, CR LF, and U+0085, U+2028, U+2029, as YAML 1.1 has it; 0 for none.
    private static func breakWidth(_ bytes: [UInt8], at index: Int) -> Int {
        func byte(_ ahead: Int) -> UInt8 { index + ahead < bytes.count ? bytes[index + ahead] : 0 }
        switch bytes[index] {
        case 0x0A: return 1
        case 0x0D: return byte(1) == 0x0A ? 2 : 1
        case 0xC2: return byte(1) == 0x85 ? 2 : 0
        case 0xE2: return byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9) ? 3 : 0
        default: return 0
        }
    }
}
