/// A JSON document as a value, for model headers and configurations: small, read once, and never trusted.
///
/// Strict (RFC 8259): duplicate keys, lone surrogates, bytes that are not UTF-8 and anything after the document are
/// errors. Numbers keep their literal, so integers of 64 bits lose nothing.
public indirect enum JSONTree: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The literal as written, e.g. `-1.5e3`.
    case number(String)
    case string(String)
    case array([JSONTree])
    case object(JSONObject)

    /// What is wrong with a document, and at which byte.
    public struct SyntaxError: Error, Sendable, Equatable {
        public let offset: Int
        public let message: String

        public init(offset: Int, message: String) {
            self.offset = offset
            self.message = message
        }
    }

    /// Parses a whole document. `maximumNodes` bounds the memory that a hostile one can claim.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, maximumNodes: Int = 4_000_000
    ) throws(SyntaxError) -> JSONTree {
        var parser = JSONParser(bytes, maximumNodes: maximumNodes)
        return try parser.document()
    }

    /// The kind of value in words, for messages.
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

    /// Adds a member; false, with nothing changed, when the key is there already.
    public mutating func insert(_ key: String, _ value: JSONTree) -> Bool {
        guard values[key] == nil else { return false }
        values[key] = value
        keys.append(key)
        return true
    }
}
