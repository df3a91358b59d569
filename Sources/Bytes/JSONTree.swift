/// A JSON document as a value, for small files, which are read once and untrusted.
///
/// Numbers keep their literal, so 64-bit integers lose no precision and each caller chooses how to round.
public enum JSONTree: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The literal as written, e.g. `-1.5e3`.
    case number(String)
    case string(String)
    case array([JSONTree])
    case object(JSONObject)

    /// The name of the value's type, for messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    public var isNull: Bool { self == .null }

    public var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The value of an integer literal (no fraction, no exponent) that fits.
    public var integer: Int? {
        guard case .number(let literal) = self else { return nil }
        return Int(literal)
    }

    /// The value of any number that is finite as a Double, correctly rounded.
    public var double: Double? {
        guard case .number(let literal) = self, let value = Double(literal), value.isFinite else { return nil }
        return value
    }

    public var string: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    public var array: [JSONTree]? {
        if case .array(let value) = self { return value }
        return nil
    }

    public var object: JSONObject? {
        if case .object(let value) = self { return value }
        return nil
    }

    /// The member of an object; nil if there is none.
    public subscript(key: String) -> JSONTree? { object?[key] }
}

/// The members of a JSON object in the order of the document.
public struct JSONObject: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public let key: String
        public let value: JSONTree
    }

    public private(set) var members: [Member] = []

    public init() {}

    public var keys: [String] { members.map(\.key) }

    /// The value of the key, byte by byte the same; the last one if there are several, as in Python's json. Searches
    /// all members: for many lookups in a large object make a dictionary.
    public subscript(key: String) -> JSONTree? { members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value }

    public mutating func append(_ key: String, _ value: JSONTree) { members.append(Member(key: key, value: value)) }
}

/// Building.
extension JSONTree {
    public static func integer(_ value: some BinaryInteger) -> JSONTree { .number(String(value)) }

    /// The shortest digits that read back as `value`, which must be finite.
    public static func double(_ value: some BinaryFloatingPoint & LosslessStringConvertible) -> JSONTree {
        precondition(value.isFinite, "JSON has no number for \(value)")
        return .number(value.description)
    }

    public static func strings(_ values: some Sequence<String>) -> JSONTree { .array(values.map(JSONTree.string)) }

    /// An object with its members in this order; keys must differ.
    public static func members(_ members: KeyValuePairs<String, JSONTree>) -> JSONTree {
        .members(Array(members).map { ($0.key, $0.value) })
    }

    /// An object with its members in this order; keys must differ.
    public static func members(_ members: [(String, JSONTree)]) -> JSONTree {
        var object = JSONObject()
        var keys: Set<String> = []
        for (key, value) in members {
            let isNew = keys.insert(key).inserted
            precondition(isNew, "the key \(key) is repeated")
            object.append(key, value)
        }
        return .object(object)
    }
}

/// Writing, without a final newline.
extension JSONTree {
    public enum Layout: Sendable {
        /// Without white space.
        case compact
        /// As Python's `json.dump(indent=2, ensure_ascii=False)`.
        case indented
        /// Indented, but an array without arrays and objects stays on one line.
        case indentedRows
    }

    /// The characters that are escaped in strings.
    public enum Escapes: Sendable {
        /// Those that could disturb a terminal or a log; see `Quoting.json`.
        case displayable
        /// Those that JSON forbids, as in records.
        case fewest
    }

    public func written(_ layout: Layout = .indented, escapes: Escapes = .displayable) -> String {
        let out = ByteBuffer()
        Writer(out: out, layout: layout, escapes: escapes).write(self, indentation: 0)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    fileprivate var isContainer: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }
}

private struct Writer {
    let out: ByteBuffer
    let layout: JSONTree.Layout
    let escapes: JSONTree.Escapes

    func write(_ tree: JSONTree, indentation: Int) {
        switch tree {
        case .null: out.append("null")
        case .bool(let flag): out.append(flag ? "true" : "false")
        case .number(let literal): out.append(literal)
        case .string(let text): string(text)
        case .array(let elements):
            if layout == .indentedRows, !elements.contains(where: \.isContainer) {
                row(elements)
            } else {
                container("[", elements, "]", indentation) { write($0, indentation: $1) }
            }
        case .object(let object):
            container("{", object.members, "}", indentation) { member, inner in
                string(member.key)
                out.append(layout == .compact ? ":" : ": ")
                write(member.value, indentation: inner)
            }
        }
    }

    private func string(_ text: String) {
        switch escapes {
        case .displayable: out.append(Quoting.json(text))
        case .fewest: out.appendJSONString(text)
        }
    }

    private func row(_ elements: [JSONTree]) {
        out.append("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { out.append(", ") }
            write(element, indentation: 0)
        }
        out.append("]")
    }

    private func container<Part>(
        _ opening: StaticString, _ parts: [Part], _ closing: StaticString, _ indentation: Int,
        part: (Part, _ inner: Int) -> Void
    ) {
        out.append(opening)
        for (index, value) in parts.enumerated() {
            if index > 0 { out.append(",") }
            newLine(indentation + 1)
            part(value, indentation + 1)
        }
        if !parts.isEmpty { newLine(indentation) }
        out.append(closing)
    }

    private func newLine(_ indentation: Int) {
        guard layout != .compact else { return }
        out.append("\n")
        for _ in 0..<indentation { out.append("  ") }
    }
}
