import Bytes
import Diagnostics
import Tensors

/// A model's `config.json`, or an object inside it, read key by key with errors that name file and key.
///
/// Keys that aren't read are ignored: Transformers writes many. `optional…` returns nil if a key is absent or null; the
/// others throw.
public struct ModelConfiguration: Sendable {
    /// More than any model's configuration; vocabularies of tokenizers are in another file.
    private static let maximumByteCount = 16 << 20

    public let path: String
    public let keys: [String]
    private let values: [String: JSONTree]
    /// Keys from the root to this object, each followed by a dot.
    private let prefix: String

    /// Errors: `missingInput` when there's no such file, `invalidData` (at path:line:column) when it isn't strict JSON
    /// with an object at the top.
    public init(path: String) throws(UnderstudyError) {
        let file = try MappedFile(path: path)
        guard file.count <= Self.maximumByteCount else {
            throw UnderstudyError(.invalidData, "the file is too large for a model's configuration", at: path)
        }
        self = try file.withBytes { (bytes) throws(UnderstudyError) in
            try ModelConfiguration(json: bytes, path: path)
        }
    }

    /// Parses bytes; `path` is the file's name in errors.
    public init(json bytes: UnsafeRawBufferPointer, path: String) throws(UnderstudyError) {
        let tree: JSONTree
        do {
            tree = try JSONReader().read(bytes)
        } catch {
            let before = bytes[..<min(error.place, bytes.count)]
            let line = before.count { $0 == 0x0a } + 1
            let column = before.count - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
            throw UnderstudyError(
                .invalidData, "this is not valid JSON: \(error.message)", at: "\(path):\(line):\(column)")
        }
        guard let members = tree.object else {
            throw UnderstudyError(.invalidData, "the file holds \(tree.kind), but an object is needed", at: path)
        }
        self.init(members, path: path, prefix: "")
    }

    private init(_ object: JSONObject, path: String, prefix: String) {
        keys = object.keys
        values = Dictionary(object.members.map { ($0.key, $0.value) }) { $1 }
        self.path = path
        self.prefix = prefix
    }

    /// True if the key is present and not null.
    public func contains(_ key: String) -> Bool { present(key) != nil }

    public func integer(_ key: String, in range: ClosedRange<Int>) throws(UnderstudyError) -> Int {
        try required(key, optionalInteger(key, in: range))
    }

    public func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws(UnderstudyError) -> Int? {
        guard let value = present(key) else { return nil }
        guard let number = value.integer else { throw mismatch(key, value, "a whole number") }
        guard range.contains(number) else {
            throw wrong(key, "it is \(number), but must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    public func double(_ key: String, in range: ClosedRange<Double>) throws(UnderstudyError) -> Double {
        try required(key, optionalDouble(key, in: range))
    }

    public func optionalDouble(_ key: String, in range: ClosedRange<Double>) throws(UnderstudyError) -> Double? {
        guard let value = present(key) else { return nil }
        guard let number = value.double else { throw mismatch(key, value, "a finite number") }
        guard range.contains(number) else {
            throw wrong(key, "it is \(number), but must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    public func boolean(_ key: String) throws(UnderstudyError) -> Bool { try required(key, optionalBoolean(key)) }

    public func optionalBoolean(_ key: String) throws(UnderstudyError) -> Bool? {
        guard let value = present(key) else { return nil }
        guard case .bool(let flag) = value else { throw mismatch(key, value, "true or false") }
        return flag
    }

    public func string(_ key: String) throws(UnderstudyError) -> String { try required(key, optionalString(key)) }

    public func optionalString(_ key: String) throws(UnderstudyError) -> String? {
        guard let value = present(key) else { return nil }
        guard case .string(let text) = value else { throw mismatch(key, value, "a string") }
        return text
    }

    /// The string at `key` as a value of a string enumeration; the error lists the choices.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type = Choice.self
    ) throws(UnderstudyError) -> Choice where Choice.RawValue == String {
        try required(key, optionalChoice(key, of: type))
    }

    public func optionalChoice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type = Choice.self
    ) throws(UnderstudyError) -> Choice? where Choice.RawValue == String {
        guard let text = try optionalString(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map { Quoting.json($0.rawValue) }.joined(separator: ", ")
            throw wrong(key, "it is \(Quoting.name(text)), but must be one of \(choices)")
        }
        return choice
    }

    public func strings(_ key: String) throws(UnderstudyError) -> [String] { try required(key, optionalStrings(key)) }

    public func optionalStrings(_ key: String) throws(UnderstudyError) -> [String]? {
        guard let value = present(key) else { return nil }
        guard case .array(let elements) = value else { throw mismatch(key, value, "an array of strings") }
        var strings: [String] = []
        for element in elements {
            guard case .string(let text) = element else {
                throw wrong(key, "element \(strings.count) is \(element.kind), but must be a string")
            }
            strings.append(text)
        }
        return strings
    }

    public func doubles(_ key: String) throws(UnderstudyError) -> [Double] {
        guard case .array(let elements)? = present(key) else { throw wrong(key, "an array of numbers is needed") }
        var numbers: [Double] = []
        for element in elements {
            guard case .number(let text) = element, let value = Double(text), value.isFinite else {
                throw wrong(key, "element \(numbers.count) is \(element.kind), but must be a number")
            }
            numbers.append(value)
        }
        return numbers
    }

    public func object(_ key: String) throws(UnderstudyError) -> ModelConfiguration {
        try required(key, optionalObject(key))
    }

    public func optionalObject(_ key: String) throws(UnderstudyError) -> ModelConfiguration? {
        guard let value = present(key) else { return nil }
        guard case .object(let inner) = value else { throw mismatch(key, value, "an object") }
        return ModelConfiguration(inner, path: path, prefix: "\(prefix)\(key).")
    }

    /// An error about `key` in this file: for checks by the caller.
    public func wrong(_ key: String, _ message: String) -> UnderstudyError {
        UnderstudyError(.invalidData, "key \(Quoting.name(prefix + key)): \(message)", at: path)
    }

    private func present(_ key: String) -> JSONTree? {
        guard let value = values[key], !value.isNull else { return nil }
        return value
    }

    private func required<Value>(_ key: String, _ value: Value?) throws(UnderstudyError) -> Value {
        guard let value else { throw wrong(key, "it is missing") }
        return value
    }

    private func mismatch(_ key: String, _ value: JSONTree, _ needed: String) -> UnderstudyError {
        wrong(key, "it is \(value.kind), but \(needed) is needed")
    }
}

extension ModelConfiguration {
    /// The labels of `id2label` in the order of the logits; nil when the key is absent (Transformers omits it in models
    /// without a classifier).
    ///
    /// Errors: keys other than 0, 1, … without gaps, a duplicate or empty label, and a `num_labels` or `label2id` that
    /// contradicts it.
    public func optionalLabels() throws(UnderstudyError) -> [String]? {
        guard let byID = try optionalObject("id2label") else { return nil }
        var labels = [String?](repeating: nil, count: byID.keys.count)
        for key in byID.keys {
            // The key must be the canonical spelling of the number: "01" would give an id two names.
            guard let id = Int(key), id >= 0, String(id) == key else {
                throw wrong("id2label", "its key \(Quoting.name(key)) is not a whole number from 0")
            }
            guard id < labels.count else {
                throw wrong("id2label", "it has \(labels.count) labels, but one of them is number \(id)")
            }
            labels[id] = try byID.string(key)
        }
        let ordered = labels.compactMap { $0 }
        try checkLabels(ordered, key: "id2label")
        if let count = try optionalInteger("num_labels", in: 0...Int.max), count != ordered.count {
            throw wrong("num_labels", "it is \(count), but id2label has \(ordered.count) labels")
        }
        if let byLabel = try optionalObject("label2id") {
            for (id, label) in ordered.enumerated() {
                guard try byLabel.integer(label, in: 0...Int.max) == id else {
                    throw wrong("label2id", "the label \(Quoting.name(label)) has another number in id2label: \(id)")
                }
            }
        }
        return ordered
    }

    /// The labels of an array of strings in the order of the logits.
    ///
    /// Errors: a missing key, no labels, a duplicate or empty label.
    public func labels(_ key: String = "labels") throws(UnderstudyError) -> [String] {
        let labels = try strings(key)
        try checkLabels(labels, key: key)
        return labels
    }

    private func checkLabels(_ labels: [String], key: String) throws(UnderstudyError) {
        guard !labels.isEmpty else { throw wrong(key, "it has no labels") }
        var seen: Set<String> = []
        for label in labels {
            guard !label.isEmpty else { throw wrong(key, "a label is empty") }
            guard seen.insert(label).inserted else {
                throw wrong(key, "the label \(Quoting.name(label)) is repeated")
            }
        }
    }
}
