import Bytes

/// Why a line can't be classified. Positions count bytes of the line from 1; for JSON in another encoding, bytes of the
/// line converted to UTF-8.
public enum LineFlaw: Sendable, Equatable {
    case notUTF8(at: Int)
    case notInEncoding(at: Int, TextEncoding)
    case containsNUL(at: Int)
    case tooLong(bytes: Int, maximum: Int)
    case malformedJSON(at: Int, JSONScanner.Problem)
    case notAnObject
    case missingField
    case repeatedField(at: Int)
    case fieldNotString(at: Int)
    case missingColumn(found: Int, wanted: Int)
    case noFiniteLogits
    /// The archive is damaged or truncated within the line; `bytes` is the length of the part that was read.
    case torn(bytes: Int)

    /// A flaw without its position: used for counts in summaries and as a machine-readable code.
    public enum Kind: String, Sendable, CaseIterable {
        case notUTF8 = "not_utf8"
        case notDecodable = "not_decodable"
        case containsNUL = "contains_nul"
        case tooLong = "too_long"
        case malformedJSON = "malformed_json"
        case missingField = "missing_field"
        case repeatedField = "repeated_field"
        case fieldNotString = "field_not_string"
        case missingColumn = "missing_column"
        case noFiniteLogits = "no_finite_logits"
        case torn

        /// Its index among all kinds, for counting.
        public var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    public var kind: Kind {
        switch self {
        case .notUTF8: .notUTF8
        case .notInEncoding: .notDecodable
        case .containsNUL: .containsNUL
        case .tooLong: .tooLong
        case .malformedJSON, .notAnObject: .malformedJSON
        case .missingField: .missingField
        case .repeatedField: .repeatedField
        case .fieldNotString: .fieldNotString
        case .missingColumn: .missingColumn
        case .noFiniteLogits: .noFiniteLogits
        case .torn: .torn
        }
    }

    /// One sentence for error messages. `field` is the FIELD of `jsonl:FIELD`.
    public func reason(field: String) -> String {
        switch self {
        case .notUTF8(let place): "not UTF-8 at byte \(place)"
        case .notInEncoding(let place, let encoding): "not \(encoding.rawValue) at byte \(place)"
        case .containsNUL(let place): "contains NUL at byte \(place)"
        case .tooLong(let bytes, let maximum): "\(bytes) bytes long; the limit is \(maximum)"
        case .malformedJSON(let place, let problem): "malformed JSON at byte \(place): \(Self.clause(problem))"
        case .notAnObject: "the line is not a JSON object"
        case .missingField: "no field '\(field)'"
        case .repeatedField(let place): "the field '\(field)' is repeated at byte \(place)"
        case .fieldNotString(let place): "the field '\(field)' is not a string, at byte \(place)"
        case .missingColumn(let found, let wanted): "\(found) columns; column \(wanted) is missing"
        case .noFiniteLogits: "the student's logits for this line aren't finite numbers"
        case .torn(let bytes):
            "the archive is damaged or truncated within this line; its first \(bytes) bytes are unverified"
        }
    }

    private static func clause(_ problem: JSONScanner.Problem) -> String {
        switch problem {
        case .unexpectedEnd, .unclosedString: "unexpected end"
        case .expectedValue: "expected a value"
        case .expectedKey: "expected a key in quotes"
        case .expectedColon: "expected a colon"
        case .expectedCommaOrBrace, .expectedCommaOrBracket: "expected a comma or a closing bracket"
        case .badNumber: "not a JSON number"
        case .controlCharacter: "a control character in a string must be escaped"
        case .badEscape, .badHexadecimal: "unknown escape"
        case .loneSurrogate: "unpaired surrogate"
        case .tooDeep: "nested too deeply"
        case .trailingBytes: "unexpected text after the value"
        }
    }
}
