import Diagnostics

/// Building JSON and writing it, for the small files of a model directory.
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

    /// The document as Python's `json.dump(indent=2, ensure_ascii=False)` lays it out, without a line break at the end.
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
