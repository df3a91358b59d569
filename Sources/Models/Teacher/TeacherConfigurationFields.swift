import Diagnostics
import Foundation

/// Typed and checked look-ups in a parsed `config.json`; every error names the field.
struct TeacherConfigurationFields {
    let object: [String: Any]

    /// A field that is absent or null counts as not given.
    private func given(_ name: String) -> Any? {
        guard let value = object[name], !(value is NSNull) else { return nil }
        return value
    }

    func integer(_ name: String, _ range: ClosedRange<Int>, default fallback: Int? = nil) throws(UnderstudyError)
        -> Int
    {
        guard let value = given(name) else {
            guard let fallback else { throw UnderstudyError(.invalidData, "\(name) is missing") }
            return fallback
        }
        guard let number = value as? NSNumber, let whole = Int(exactly: number.doubleValue), range.contains(whole)
        else {
            throw UnderstudyError(
                .invalidData,
                "\(name) is \(value); it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    func number(_ name: String, _ range: ClosedRange<Float>, default fallback: Float) throws(UnderstudyError) -> Float {
        guard let value = given(name) else { return fallback }
        guard let number = value as? NSNumber, range.contains(number.floatValue) else {
            throw UnderstudyError(
                .invalidData, "\(name) is \(value); it must be a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number.floatValue
    }

    func name<Name: RawRepresentable<String> & CaseIterable>(_ field: String, default fallback: Name)
        throws(UnderstudyError) -> Name
    {
        guard let value = given(field) else { return fallback }
        guard let string = value as? String, let name = Name(rawValue: string) else {
            let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnderstudyError(.invalidData, "\(field) is \"\(value)\"; the supported ones are \(known)")
        }
        return name
    }

    /// The names of `id2label` in order, `LABEL_0` … as many as `num_labels` says where there is none, else nothing.
    func labels() throws(UnderstudyError) -> [String] {
        guard let value = given("id2label") else {
            let count = try integer("num_labels", 0...65_536, default: 0)
            return (0..<count).map { "LABEL_\($0)" }
        }
        guard let table = value as? [String: Any] else {
            throw UnderstudyError(.invalidData, "id2label must map \"0\", \"1\" … to label names")
        }
        var labels: [String] = []
        for index in 0..<table.count {
            guard let label = table["\(index)"] as? String else {
                throw UnderstudyError(
                    .invalidData, "id2label has \(table.count) entries but no name for \"\(index)\"")
            }
            labels.append(label)
        }
        guard Set(labels).count == labels.count else {
            throw UnderstudyError(.invalidData, "id2label names the same label twice")
        }
        return labels
    }
}
