import CYAML

/// A wrapper of libyaml's parser: bytes → events with positions.
struct YAMLEvents: ~Copyable {
    struct Event {
        enum Kind {
            case scalar(String, isPlain: Bool)
            case alias(String)
            case listStart
            case mappingStart
            /// The end of a list or of a mapping.
            case end
            case documentStart
            case streamEnd
            /// The start of the stream or the end of a document.
            case boundary
        }

        var kind: Kind
        var span: SourceSpan
        var anchor: String?
        /// Only an explicit tag.
        var tag: String?
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let isReady: Bool

    /// `bytes` must outlive the parser and have no byte order mark.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        isReady = yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        // Set explicitly, so that libyaml doesn't detect bytes that look like a UTF-16 mark.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        if isReady { yaml_parser_delete(parser) }
        parser.deinitialize(count: 1)
        parser.deallocate()
    }

    /// Returns the next event. Must not be called after a failure.
    mutating func next() -> Result<Event, YAMLFlaw> {
        guard isReady else { return .failure(.outOfMemory) }
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { return .failure(YAMLFlaw(parser.pointee)) }
        defer { yaml_event_delete(&event) }
        return .success(Self.translated(event))
    }

    private static func translated(_ event: yaml_event_t) -> Event {
        let span = SourceSpan(start: SourceMark(event.start_mark), end: SourceMark(event.end_mark))
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let kind = Event.Kind.scalar(
                String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            return Event(kind: kind, span: span, anchor: text(scalar.anchor), tag: text(scalar.tag))
        case YAML_ALIAS_EVENT:
            return Event(kind: .alias(text(event.data.alias.anchor) ?? ""), span: span)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return Event(kind: .listStart, span: span, anchor: text(start.anchor), tag: text(start.tag))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return Event(kind: .mappingStart, span: span, anchor: text(start.anchor), tag: text(start.tag))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return Event(kind: .end, span: span)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, span: span)
        case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: return Event(kind: .boundary, span: span)
        // libyaml returns no event after the end of the stream.
        default: return Event(kind: .streamEnd, span: span)
        }
    }

    private static func text(_ start: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let start else { return nil }
        return String(cString: start)
    }
}

extension SourceMark {
    init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line), column: Int(clamping: mark.column))
    }
}

/// The error at which libyaml stopped.
struct YAMLFlaw: Error, Equatable {
    enum Place: Equatable {
        case mark(SourceMark)
        /// Offset of the byte that can't be read.
        case byte(Int)
        case nowhere
    }

    /// libyaml's message: `did not find expected key`.
    var problem: String
    /// libyaml's context: `while parsing a block mapping`.
    var context: String?
    /// The line where the context began; nil if it is the line of the problem.
    var contextLine: Int?
    var place: Place

    private static let endOfStream = "found unexpected end of stream"

    static let outOfMemory = YAMLFlaw(problem: "out of memory", place: .nowhere)

    init(problem: String, place: Place) {
        self.problem = problem
        self.place = place
    }

    init(_ parser: yaml_parser_t) {
        problem = parser.problem.map { String(cString: $0) } ?? "out of memory"
        switch parser.error {
        case YAML_READER_ERROR: place = .byte(Int(clamping: parser.problem_offset))
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let mark = SourceMark(parser.problem_mark)
            place = .mark(mark)
            guard let words = parser.context else { return }
            context = String(cString: words)
            let start = SourceMark(parser.context_mark)
            if problem == Self.endOfStream {
                // The end of the file is no useful position; the start of the context is.
                place = .mark(start)
            } else if start.line != mark.line {
                contextLine = start.line
            }
        default: place = .nowhere
        }
    }
}

extension YAMLFlaw {
    /// The hint at common mistakes.
    var hint: String? {
        switch (problem, context) {
        case (_, "while scanning an alias"): "text that starts with * must be in quotes"
        case (_, "while scanning an anchor"): "text that starts with & must be in quotes"
        case ("found character that cannot start any token", _):
            "indent with spaces, not tabs, and put text that starts with @, % or ` in quotes"
        case ("found a tab character that violates indentation", _): "indent with spaces, not tabs"
        case ("mapping values are not allowed in this context", _):
            "check the indentation, and put text that holds ': ' in quotes"
        case ("did not find expected ',' or '}'", _), ("did not find expected ',' or ']'", _):
            "close the bracket, and put text that holds brackets or braces in quotes"
        case ("did not find expected key", _), ("could not find expected ':'", _):
            "check the indentation and that every option is followed by ': '"
        case (Self.endOfStream, _): "close the quote"
        case ("found unknown escape character", _): "in double quotes a backslash is written \\\\"
        default: problem.contains("UTF-8") ? "save the file as UTF-8" : nil
        }
    }
}
