/// An error in a JSON document.
public struct JSONError: Error, Sendable, Equatable {
    public enum Problem: Sendable, Equatable {
        case syntax(JSONScanner.Problem)
        case duplicateKey(String)
        /// A number beyond the largest Double.
        case numberTooLarge
        /// A string isn't UTF-8.
        case notUTF8
        case tooManyValues
    }

    public let problem: Problem
    /// The byte where the problem was found.
    public let offset: Int
    /// The first byte of the value or key in which it was found.
    public let start: Int
    /// Whether `offset` is the end of the document.
    public let isAtEnd: Bool
}

extension JSONError {
    /// The byte to name to people: that of the whole value if no single byte in it is wrong.
    public var place: Int {
        switch problem {
        case .duplicateKey, .notUTF8, .numberTooLarge, .syntax(.badNumber), .syntax(.unclosedString): start
        case .syntax(.expectedValue): isAtEnd ? offset : start
        default: offset
        }
    }

    /// One clause for people.
    public var message: String {
        switch problem {
        case .duplicateKey(let key): "the key \(Quoting.name(key)) is repeated"
        case .numberTooLarge: "the number is too large"
        case .notUTF8: "a string is not UTF-8"
        case .tooManyValues: "the document has too many values"
        case .syntax(let problem): Self.message(problem, isAtEnd: isAtEnd)
        }
    }

    private static func message(_ problem: JSONScanner.Problem, isAtEnd: Bool) -> String {
        switch problem {
        case .unexpectedEnd: "unexpected end of the document"
        case .expectedValue: isAtEnd ? "unexpected end of the document" : "expected a value"
        case .expectedKey: "expected a key in quotes"
        case .expectedColon: "expected a colon after the key"
        case .expectedCommaOrBrace, .expectedCommaOrBracket:
            isAtEnd ? "unexpected end of the document" : "expected a comma or a closing bracket"
        case .badNumber: "invalid number"
        case .controlCharacter: "a control character in a string must be escaped"
        case .unclosedString: "unterminated string"
        case .badEscape: isAtEnd ? "unexpected end of the document" : "unknown escape"
        case .badHexadecimal: "\\u needs four hexadecimal digits"
        case .loneSurrogate: "unpaired surrogate"
        case .tooDeep: "values are nested too deeply"
        case .trailingBytes: "unexpected text after the document"
        }
    }
}
