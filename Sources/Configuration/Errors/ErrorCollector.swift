/// Gathers the errors of one reading. Used by one thread.
final class ErrorCollector {
    /// Errors beyond these are counted only: nobody reads them, and a hostile file could make millions.
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

    /// Message and hint are only made for errors that are kept.
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

    /// The place of `part` inside a value; the value's start when it isn't written there letter by letter.
    func span(of part: String, in span: SourceSpan) -> SourceSpan {
        source.span(of: part, in: span) ?? span
    }

    /// All errors in the order of place; nil when there are none.
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
