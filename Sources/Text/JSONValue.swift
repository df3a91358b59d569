/// A parsed JSON text. Strings are kept as UTF-8 bytes; an object keeps its members in the file's order.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    case object([(name: [UInt8], value: JSONValue)])

    /// The member of that name (the last, if there are several, as Python's json takes it).
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name.elementsEqual(name.utf8) }?.value
    }

    var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    var number: Double? {
        if case .number(let value) = self { return value }
        return nil
    }

    /// The value as a whole number between 0 and 2^53.
    var index: Int? {
        guard case .number(let value) = self, value >= 0, value < 9_007_199_254_740_992, value == value.rounded()
        else { return nil }
        return Int(value)
    }

    var bytes: [UInt8]? {
        if case .string(let value) = self { return value }
        return nil
    }

    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    var array: [JSONValue]? {
        if case .array(let value) = self { return value }
        return nil
    }

    var object: [(name: [UInt8], value: JSONValue)]? {
        if case .object(let value) = self { return value }
        return nil
    }

    /// What kind of value this is, for error messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
