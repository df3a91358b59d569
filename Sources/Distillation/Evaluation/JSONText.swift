import Diagnostics

/// A JSON value to be written, its fields in the order given.
indirect enum JSONText {
    case null
    case integer(Int)
    /// Not finite is written as null: JSON has no word for it.
    case number(Double)
    case string(String)
    case array([JSONText])
    case object([(String, JSONText)])

    /// The shortest digits that give the same f32 again.
    static func float(_ value: Float) -> JSONText { .number(Double("\(value)") ?? Double(value)) }

    static func optional<Value>(_ value: Value?, _ make: (Value) -> JSONText) -> JSONText {
        value.map(make) ?? .null
    }

    /// Indented by two spaces a level; arrays of plain values stay on one line.
    func text(indent: String = "") -> String {
        switch self {
        case .null: return "null"
        case .integer(let value): return String(value)
        case .number(let value): return value.isFinite ? "\(value)" : "null"
        case .string(let value): return Quoting.json(value)
        case .array(let elements):
            if elements.allSatisfy(\.isPlain) { return "[" + elements.map { $0.text() }.joined(separator: ", ") + "]" }
            let inner = indent + "  "
            return "[\n" + elements.map { inner + $0.text(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let fields):
            if fields.isEmpty { return "{}" }
            let inner = indent + "  "
            let lines = fields.map { "\(inner)\(Quoting.json($0.0)): \($0.1.text(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private var isPlain: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }
}
