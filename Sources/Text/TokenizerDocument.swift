import Bytes
import Diagnostics

/// Reads the JSON files of a tokenizer, which hold hundreds of thousands of pairs.
enum TokenizerDocument {
    /// `place` is the file's path for errors. Depth, duplicate members (the last one counts) and large numbers are
    /// treated as in `serde_json`.
    static func read(_ bytes: [UInt8], place: String) throws(UnderstudyError) -> JSONTree {
        guard UTF8Check.isValid(bytes) else {
            throw UnderstudyError(.invalidData, "the file isn't valid UTF-8; JSON must be", at: place)
        }
        // A byte order mark is ignored.
        let begin = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let result = bytes.withUnsafeBytes { all -> Result<JSONTree, JSONError> in
            let document = UnsafeRawBufferPointer(rebasing: all[begin...])
            return Result { () throws(JSONError) in try reader.read(document) }
        }
        do throws(JSONError) {
            return try result.get()
        } catch {
            throw failure(error, at: begin, in: bytes, place: place)
        }
    }

    private static let reader = JSONReader(
        maximumDepth: 128, maximumValues: .max, allowsDuplicateKeys: true, allowsLargeNumbers: false)

    private static func failure(
        _ error: JSONError, at begin: Int, in bytes: [UInt8], place: String
    ) -> UnderstudyError {
        let offset = begin + (error.problem == .syntax(.expectedValue) ? error.start : error.offset)
        let before = bytes.prefix(offset)
        let line = before.count { $0 == 0x0A } + 1
        let column = before.reversed().prefix { $0 != 0x0A }.count + 1
        let end = offset < bytes.count ? "" : ", but the file ends; it may be truncated"
        let what =
            switch error.problem {
            case .numberTooLarge: "a number is too large"
            case .syntax(let problem): clause(problem, isAtEnd: error.isAtEnd)
            case .duplicateKey, .notUTF8, .tooManyValues: error.message
            }
        return UnderstudyError(.invalidData, "not valid JSON: \(what)\(end)", at: "\(place):\(line):\(column)")
    }

    private static func clause(_ problem: JSONScanner.Problem, isAtEnd: Bool) -> String {
        switch problem {
        case .unexpectedEnd, .expectedValue: "expected a value"
        case .expectedKey: "expected a name"
        case .expectedColon: "expected a colon"
        case .expectedCommaOrBrace: "expected a comma or a closing brace"
        case .expectedCommaOrBracket: "expected a comma or a closing bracket"
        case .badNumber: "expected a digit"
        case .controlCharacter: "a control character in a string must be escaped"
        case .unclosedString: "expected the end of a string"
        case .badEscape: isAtEnd ? "expected the rest of an escape" : "unknown escape in a string"
        case .badHexadecimal: "expected four hexadecimal digits"
        case .loneSurrogate: "unpaired surrogate"
        case .tooDeep: "nested deeper than \(reader.maximumDepth) levels"
        case .trailingBytes: "unexpected text after the JSON value"
        }
    }
}

extension JSONTree {
    /// A string's bytes.
    var bytes: [UInt8]? { string.map { Array($0.utf8) } }

    /// The value as an integer from 0 to 2^53.
    var index: Int? {
        guard let value = number, value >= 0, value < 9_007_199_254_740_992, value == value.rounded() else {
            return nil
        }
        return Int(value)
    }

    /// The value of a number as `serde_json` converts it: the digits as one integer, then one multiplication or
    /// division by a power of ten.
    ///
    /// Hugging Face uses it to read scores: correct rounding would differ in the last bit of one score in four and could
    /// break ties differently.
    var number: Double? {
        guard case .number(let literal) = self else { return nil }
        var significand: UInt64 = 0
        var exponent = 0
        var isFraction = false
        // Further digits don't fit into the significand.
        var isFull = false
        var rest = literal.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                isFull = isFull || !Self.append(UInt64(byte - 0x30), to: &significand)
                if isFraction != isFull { exponent += isFraction ? -1 : 1 }
            default:
                // The exponent, whose sign may be `+`. One that doesn't fit is far beyond every Double.
                let isDivision = rest.first == UInt8(ascii: "-")
                let power = min(Int(Substring(rest.drop { $0 == 0x2B || $0 == 0x2D })) ?? 1_000_000, 1_000_000)
                exponent += isDivision ? -power : power
                rest = rest[rest.endIndex...]
            }
        }
        return Self.scale(significand, by: exponent).map { isNegative ? -$0 : $0 }
    }

    /// Returns false without a change if the digit doesn't fit.
    private static func append(_ digit: UInt64, to significand: inout UInt64) -> Bool {
        let (tenfold, overflow) = significand.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tenfold.addingReportingOverflow(digit)
        if overflow || carry { return false }
        significand = sum
        return true
    }

    /// nil if it is too large.
    private static func scale(_ significand: UInt64, by exponent: Int) -> Double? {
        var value = Double(significand)
        var exponent = exponent
        while exponent < -308, value != 0 {
            value /= 1e308
            exponent += 308
        }
        guard value != 0 else { return value }
        guard exponent <= 308 else { return nil }
        if exponent >= 0 { value *= powersOfTen[exponent] } else { value /= powersOfTen[-exponent] }
        return value.isFinite ? value : nil
    }

    /// 10^0 … 10^308, correctly rounded.
    private static let powersOfTen: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }
}
