import Diagnostics

/// A JSON document as a value, for model headers and configurations, which are small, read once, and untrusted.
///
/// Strict (RFC 8259): duplicate keys, lone surrogates, bytes that are not UTF-8 and anything after the document are
/// errors. Numbers keep their literal, so 64-bit integers lose no precision.
public indirect enum JSONTree: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The literal as written, e.g. `-1.5e3`.
    case number(String)
    case string(String)
    case array([JSONTree])
    case object(JSONObject)

    /// An error in a document, and its byte position.
    public struct SyntaxError: Error, Sendable, Equatable {
        public let offset: Int
        public let message: String

        public init(offset: Int, message: String) {
            self.offset = offset
            self.message = message
        }
    }

    /// Parses a whole document. `maximumNodes` bounds the memory of a hostile one.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, maximumNodes: Int = 4_000_000
    ) throws(SyntaxError) -> JSONTree {
        var parser = JSONParser(bytes, maximumNodes: maximumNodes)
        return try parser.document()
    }

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

    /// The value of an integer literal (no fraction, no exponent) that fits.
    public var integer: Int? {
        guard case .number(let literal) = self else { return nil }
        return Int(literal)
    }

    /// The value of any number that is finite as a Double.
    public var double: Double? {
        guard case .number(let literal) = self, let value = Double(literal), value.isFinite else { return nil }
        return value
    }
}

/// The members of a JSON object in the order of the document.
public struct JSONObject: Sendable, Equatable {
    public private(set) var keys: [String] = []
    private var values: [String: JSONTree] = [:]

    public init() {}

    public subscript(key: String) -> JSONTree? { values[key] }

    /// Adds a member; returns false without a change if the key exists already.
    public mutating func insert(_ key: String, _ value: JSONTree) -> Bool {
        guard values[key] == nil else { return false }
        values[key] = value
        keys.append(key)
        return true
    }
}

/// Builds and writes JSON for the small files of a model directory.
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
        for (key, value) in members {
            let isNew = object.insert(key, value)
            precondition(isNew, "the key \(key) is given twice")
        }
        return .object(object)
    }

    /// The document in the format of Python's `json.dump(indent=2, ensure_ascii=False)`, without a final newline.
    public var text: String {
        var out = ""
        write(to: &out, indentation: "")
        return out
    }

    private func write(to out: inout String, indentation: String) {
        switch self {
        case .null: out += "null"
        case .bool(let flag): out += flag ? "true" : "false"
        case .number(let literal): out += literal
        case .string(let text): out += Quoting.json(text)
        case .array(let elements):
            Self.write(elements.count, brackets: ("[", "]"), to: &out, indentation: indentation) { out, index, inner in
                elements[index].write(to: &out, indentation: inner)
            }
        case .object(let object):
            Self.write(object.keys.count, brackets: ("{", "}"), to: &out, indentation: indentation) {
                out, index, inner in
                let key = object.keys[index]
                out += Quoting.json(key) + ": "
                object[key]?.write(to: &out, indentation: inner)
            }
        }
    }

    private static func write(
        _ count: Int, brackets: (String, String), to out: inout String, indentation: String,
        element: (inout String, Int, String) -> Void
    ) {
        out += brackets.0
        let inner = indentation + "  "
        for index in 0..<count {
            out += (index == 0 ? "\n" : ",\n") + inner
            element(&out, index, inner)
        }
        if count > 0 { out += "\n" + indentation }
        out += brackets.1
    }
}
