/// Builds the tree of a file, with limits on depth and size.
struct YAMLTree: ~Copyable {
    /// Maximum depth: more than any configuration needs, and safe for the stack.
    static let deepest = 16
    /// Maximum number of values.
    static let mostNodes = 100_000

    private var events: YAMLEvents
    private let errors: ErrorCollector
    private var nodes = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>, errors: ErrorCollector) {
        events = YAMLEvents(bytes)
        self.errors = errors
    }

    /// Returns the file's value; nil if it is empty, or after an error that ends the reading.
    static func node(of bytes: UnsafeBufferPointer<UInt8>, errors: ErrorCollector) -> YAMLNode? {
        var tree = YAMLTree(bytes, errors: errors)
        return tree.document()
    }

    private mutating func document() -> YAMLNode? {
        var root: YAMLNode?
        var documents = 0
        while let event = next() {
            switch event.kind {
            case .streamEnd:
                if documents == 0 { errors.add("the file is empty; it needs sources and sinks", at: .none) }
                return root
            case .documentStart:
                documents += 1
                guard documents == 1 else {
                    errors.add("a second document starts here; a configuration is a single document", at: event.span)
                    return root
                }
            case .boundary: continue
            default:
                guard let node = node(from: event, depth: 0) else { return nil }
                root = node
            }
        }
        return nil
    }

    /// Returns nil after an error that ends the reading.
    private mutating func next() -> YAMLEvents.Event? {
        switch events.next() {
        case .success(let event): return event
        case .failure(let flaw):
            errors.add(flaw)
            return nil
        }
    }

    private mutating func node(from event: YAMLEvents.Event, depth: Int) -> YAMLNode? {
        nodes += 1
        guard nodes <= Self.mostNodes else {
            errors.add("the file holds more than \(Self.mostNodes) values", at: event.span)
            return nil
        }
        let isRefused = refusesDecoration(of: event)
        var node: YAMLNode?
        switch event.kind {
        case .scalar(let text, let isPlain):
            node = YAMLNode(content: .scalar(text, isPlain: isPlain), span: event.span)
        case .alias(let name):
            errors.add(
                "aliases aren't supported, and \(YAMLText.shown("*" + name)) is one", at: event.span,
                hint: "write the value out, or put text that starts with * in quotes")
            node = YAMLNode(content: .refused, span: event.span)
        case .listStart, .mappingStart:
            guard depth < Self.deepest else {
                errors.add("values are nested more than \(Self.deepest) deep", at: event.span)
                return nil
            }
            if case .listStart = event.kind {
                node = list(from: event.span, depth: depth)
            } else {
                node = mapping(from: event.span, depth: depth)
            }
        case .end, .documentStart, .boundary, .streamEnd:
            // libyaml's grammar has no other event at the place of a value.
            return nil
        }
        if isRefused { node?.content = .refused }
        return node
    }

    private mutating func list(from start: SourceSpan, depth: Int) -> YAMLNode? {
        var items: [YAMLNode] = []
        while let event = next() {
            if case .end = event.kind {
                return YAMLNode(content: .list(items), span: SourceSpan(start: start.start, end: event.span.end))
            }
            guard let item = node(from: event, depth: depth + 1) else { return nil }
            items.append(item)
        }
        return nil
    }

    private mutating func mapping(from start: SourceSpan, depth: Int) -> YAMLNode? {
        var entries: [YAMLNode.Entry] = []
        while let event = next() {
            if case .end = event.kind {
                return YAMLNode(content: .mapping(entries), span: SourceSpan(start: start.start, end: event.span.end))
            }
            guard let key = node(from: event, depth: depth + 1), let next = next(),
                let value = node(from: next, depth: depth + 1)
            else { return nil }
            switch key.content {
            case .scalar(let name, _): entries.append(YAMLNode.Entry(key: key, name: name, value: value))
            case .refused: break
            case .list, .mapping: errors.add("an option's name must be a word, not \(key.description)", at: key.span)
            }
        }
        return nil
    }

    /// Reports anchors and tags.
    private func refusesDecoration(of event: YAMLEvents.Event) -> Bool {
        if let anchor = event.anchor {
            errors.add(
                "anchors aren't supported, and \(YAMLText.shown("&" + anchor)) is one", at: event.span,
                hint: "write the value out where it is needed, or put text that starts with & in quotes")
        }
        if let tag = event.tag {
            errors.add(
                "tags aren't supported, and \(YAMLText.shown(tag)) is one", at: event.span,
                hint: "put text that starts with ! in quotes")
        }
        return event.anchor != nil || event.tag != nil
    }
}
