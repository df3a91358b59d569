import CYAML

/// libyaml's parser: bytes → events with places.
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
            /// Where a stream starts or a document ends.
            case boundary
        }

        var kind: Kind
        var span: SourceSpan
        var anchor: String?
        /// Only a tag that is written out.
        var tag: String?
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let isReady: Bool

    /// `bytes` must live as long as the parser, without a byte order mark.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        isReady = yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        // Stated, so that libyaml doesn't take bytes that look like a UTF-16 mark for one.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        if isReady { yaml_parser_delete(parser) }
        parser.deinitialize(count: 1)
        parser.deallocate()
    }

    /// The next event. After a failure there is nothing more to ask for.
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
        // libyaml gives no event at all once the stream has ended.
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
