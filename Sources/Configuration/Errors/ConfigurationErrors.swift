import Diagnostics

/// All errors of a configuration file, sorted by position. Never empty.
public struct ConfigurationErrors: Error, Sendable, Equatable {
    public let errors: [ConfigurationError]
    /// Number of further errors, which were counted but not kept.
    public let more: Int
    /// `configuration`, except for a file that the user has no permission to read.
    public let code: UnderstudyError.Code

    init(_ errors: [ConfigurationError], more: Int = 0, code: UnderstudyError.Code = .configuration) {
        self.errors = errors
        self.more = more
        self.code = code
    }

    /// The first error in one line with the number of further errors, for a log.
    public var summary: UnderstudyError {
        let others = errors.count - 1 + more
        let tail = others > 0 ? " (and \(others) more; see `understudy check`)" : ""
        guard let first = errors.first else { return UnderstudyError(.configuration, "the configuration is wrong") }
        return UnderstudyError(code, first.sentence + tail, at: first.place)
    }
}

extension ConfigurationErrors: CustomStringConvertible {
    /// All errors, each with its source line. It has no trailing line end.
    public var description: String {
        var lines = errors.map(\.description)
        if more > 0 { lines.append("… and \(more) more errors") }
        return lines.joined(separator: "\n")
    }
}

/// One error of a configuration file.
public struct ConfigurationError: Error, Sendable, Equatable {
    /// The path of the file as the user gave it.
    public var path: String
    /// Line number, counted from 1; nil for an error of the whole file.
    public var line: Int?
    /// Column in Unicode scalars, counted from 1.
    public var column: Int?
    /// The error in one sentence.
    public var message: String
    /// The suggested remedy.
    public var hint: String?
    /// The source line and, on a second line, a caret under the position; nil without a position.
    public var excerpt: String?

    /// `file:line:column`, or the path alone.
    public var place: String {
        guard let line, let column else { return path }
        return "\(path):\(line):\(column)"
    }

    /// The message followed by the hint.
    public var sentence: String {
        guard let hint else { return message }
        return "\(message); \(hint)"
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// `file:line:column: error: message; hint`, then the source line and the caret.
    public var description: String {
        let first = "\(place): error: \(sentence)"
        guard let excerpt else { return first }
        return first + "\n" + excerpt
    }
}

/// Collects the errors of one reading. Not thread-safe.
final class ErrorCollector {
    /// Maximum number of errors kept; further ones are only counted. A hostile file could cause millions.
    static let most = 200

    private let path: String
    private let source: SourceText
    private var found: [(span: SourceSpan?, message: String, hint: String?)] = []
    private var more = 0

    init(path: String, source: SourceText) {
        self.path = path
        self.source = source
    }

    var isEmpty: Bool { found.isEmpty }

    /// Evaluates message and hint only for errors that are kept.
    func add(
        _ message: @autoclosure () -> String, at span: @autoclosure () -> SourceSpan,
        hint: @autoclosure () -> String? = nil
    ) {
        guard found.count < Self.most else {
            more += 1
            return
        }
        found.append((span(), message(), hint()))
    }

    func add(_ flaw: YAMLFlaw) {
        var message = flaw.problem
        if let context = flaw.context {
            message += " " + context
            if let line = flaw.contextLine { message += " that starts in line \(line + 1)" }
        }
        let span: SourceSpan?
        switch flaw.place {
        case .mark(let mark): span = SourceSpan(start: mark, end: mark)
        case .byte(let offset):
            let mark = source.mark(ofByte: offset)
            span = SourceSpan(start: mark, end: mark)
        case .nowhere: span = nil
        }
        found.append((span, message, flaw.hint))
    }

    /// Returns the position of `part` inside a value, or the value's start if the value doesn't contain it literally.
    func span(of part: String, in span: SourceSpan) -> SourceSpan {
        source.span(of: part, in: span) ?? span
    }

    /// All errors sorted by position; nil if there are none.
    var errors: ConfigurationErrors? {
        guard !found.isEmpty else { return nil }
        let whole = SourceSpan.none.start
        let ordered = found.enumerated().sorted { left, right in
            let marks = (left.element.span?.start ?? whole, right.element.span?.start ?? whole)
            return marks.0 == marks.1 ? left.offset < right.offset : marks.0 < marks.1
        }
        return ConfigurationErrors(ordered.map { rendered($0.element) }, more: more)
    }

    private func rendered(_ error: (span: SourceSpan?, message: String, hint: String?)) -> ConfigurationError {
        var result = ConfigurationError(path: path, message: error.message, hint: error.hint)
        guard let span = error.span else { return result }
        result.line = span.start.line + 1
        result.column = span.start.column + 1
        result.excerpt = SourceExcerpt(source.line(span.start.line), span: span).description
        return result
    }
}

/// A source line with a caret below a position, for a terminal.
struct SourceExcerpt: CustomStringConvertible {
    /// Maximum number of characters shown before the caret, and from the caret on.
    private static let before = 80
    private static let behind = 60

    private let shown: [Unicode.Scalar]
    private let caret: Int
    private let width: Int

    /// Marks the part of `span` that lies in `line`.
    init(_ line: String, span: SourceSpan) {
        let scalars = Array(line.unicodeScalars)
        let column = min(span.start.column, scalars.count)
        let end = span.end.line == span.start.line ? min(span.end.column, scalars.count) : scalars.count
        let first = max(0, column - Self.before)
        let last = min(scalars.count, column + Self.behind)
        var shown = Array(scalars[first..<last])
        // The ellipsis replaces the outermost character, so that columns don't shift.
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
            // A tab below a tab keeps the columns aligned for any tab width.
            marks += scalar == "\t" ? "\t" : String(repeating: " ", count: Self.columns(scalar))
        }
        let marked = shown.dropFirst(caret).prefix(width).reduce(0) { $0 + Self.columns($1) }
        marks += "^" + String(repeating: "~", count: max(0, marked - 1))
        return String(line) + "\n" + marks
    }

    /// Terminal columns of a scalar: two for wide and full-width (UAX #11), none for combining marks.
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

/// The file's lines, split at the line ends of libyaml.
struct SourceText {
    private let bytes: [UInt8]
    /// Byte range of each line without its line end.
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

    /// Returns a line without its line end; an empty string past the last line. Invalid UTF-8 shows as U+FFFD.
    func line(_ number: Int) -> String {
        guard lines.indices.contains(number) else { return "" }
        return String(decoding: bytes[lines[number]], as: UTF8.self)
    }

    /// Returns the position of a byte.
    func mark(ofByte offset: Int) -> SourceMark {
        let line = lines.lastIndex { $0.lowerBound <= offset } ?? 0
        let range = lines[line]
        let before = bytes[range.lowerBound..<max(range.lowerBound, min(offset, range.upperBound))]
        return SourceMark(line: line, column: String(decoding: before, as: UTF8.self).unicodeScalars.count)
    }

    /// Returns the position of `part` within the first line of `span`; nil if it isn't there.
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

    /// Length in bytes of the line end at `index`: LF, CR, CR LF, U+0085, U+2028 or U+2029, as in YAML 1.1; 0 if there
    /// is none.
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
