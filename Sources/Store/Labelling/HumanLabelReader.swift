import Diagnostics
import Streams

/// Reads human labels from JSON Lines of `{"id":"…","label":"…"}`; other fields are passed over.
public struct HumanLabelReader {
    /// A line that can't be used.
    public struct Problem: Error, Sendable, Equatable {
        /// A clause for people.
        public let reason: String
    }

    private let idField = JSONFields(field: "id")
    private let labelField = JSONFields(field: "label")
    private let value = ByteBuffer()
    private let rest = ByteBuffer()

    public init() {}

    /// nil for an empty line. `line` is without its end.
    public func read(_ line: UnsafeBufferPointer<UInt8>) throws(Problem) -> HumanLabel? {
        guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) else { return nil }
        let digits = try field("id", idField, line)
        guard (1...16).contains(digits.count), let id = UInt64(digits, radix: 16), !digits.hasPrefix("+") else {
            throw Problem(reason: "the id \(Self.shown(digits)) isn't made of up to 16 hexadecimal digits")
        }
        return HumanLabel(id: id, label: try field("label", labelField, line))
    }

    private func field(
        _ name: String, _ reader: JSONFields, _ line: UnsafeBufferPointer<UInt8>
    ) throws(Problem) -> String {
        value.removeAll()
        rest.removeAll()
        if let flaw = reader.read(line, text: value, passed: rest) { throw Problem(reason: flaw.reason(field: name)) }
        guard let text = String(validating: value.bytes, as: UTF8.self) else {
            throw Problem(reason: "the field '\(name)' isn't UTF-8")
        }
        return text
    }

    static func shown(_ text: String) -> String {
        "'" + PrintableText.escaped(PrintableText.cut(text, columns: 60)) + "'"
    }
}
