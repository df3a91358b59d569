import Diagnostics

/// A strict JSON parser (RFC 8259) for tokenizer files, which hold hundreds of thousands of pairs.
///
/// Numbers are converted as `serde_json` converts them (the digits as one integer, then one multiplication or division
/// by a power of ten), because Hugging Face uses it to read scores: correct rounding would differ in the last bit of
/// one score in four and could break ties differently.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let place: String
    private var index = 0
    private var depth = 0

    /// The same limit as in `serde_json`.
    private static let maximumDepth = 128

    /// Parses a whole file. `place` is its path for errors.
    static func parse(_ bytes: [UInt8], place: String) throws(UnderstudyError) -> JSONValue {
        guard UTF8Validator.isValid(bytes) else {
            throw UnderstudyError(.invalidData, "the file isn't valid UTF-8; JSON must be", at: place)
        }
        let result = bytes.withUnsafeBufferPointer { all -> Result<JSONValue, UnderstudyError> in
            var parser = JSONParser(bytes: all, place: place)
            do throws(UnderstudyError) {
                let value = try parser.value()
                parser.skipSpace()
                if parser.index < all.count { throw parser.error("something follows the end of the JSON value") }
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, place: String) {
        self.bytes = bytes
        self.place = place
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    private func error(_ what: String) -> UnderstudyError {
        let before = bytes[..<min(index, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let column = before.reversed().prefix { $0 != 0x0A }.count + 1
        let end = index < bytes.count ? "" : ", but the file ends; it may be truncated"
        return UnderstudyError(.invalidData, "not valid JSON: \(what)\(end)", at: "\(place):\(line):\(column)")
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - index >= length else { return false }
        for offset in 0..<length where bytes[index + offset] != word.utf8Start[offset] { return false }
        index += length
        return true
    }

    private mutating func value() throws(UnderstudyError) -> JSONValue {
        skipSpace()
        guard index < bytes.count else { throw error("expected a value") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where take("true"): return .bool(true)
        case UInt8(ascii: "f") where take("false"): return .bool(false)
        case UInt8(ascii: "n") where take("null"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw error("expected a value")
        }
    }

    private mutating func enter() throws(UnderstudyError) {
        index += 1
        depth += 1
        if depth > Self.maximumDepth { throw error("nested deeper than \(Self.maximumDepth) levels") }
        skipSpace()
    }

    private mutating func array() throws(UnderstudyError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value())
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw error("expected a comma or a closing bracket") }
        }
    }

    private mutating func object() throws(UnderstudyError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var members: [(name: [UInt8], value: JSONValue)] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw error("expected a name") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected a colon") }
            members.append((name, try value()))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw error("expected a comma or a closing brace") }
        }
    }

    private mutating func string() throws(UnderstudyError) -> [UInt8] {
        index += 1
        var start = index
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                text += bytes[start..<index]
                index += 1
                return text
            }
            if byte < 0x20 { throw error("a control character in a string must be escaped") }
            if byte == UInt8(ascii: "\\") {
                text += bytes[start..<index]
                index += 1
                text += UTF8Code.encode(try escape())
                start = index
            } else {
                index += 1
            }
        }
        throw error("expected the end of a string")
    }

    private mutating func escape() throws(UnderstudyError) -> UInt32 {
        guard index < bytes.count else { throw error("expected the rest of an escape") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt32(byte)
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            if unit < 0xD800 || unit > 0xDFFF { return unit }
            guard unit < 0xDC00, take("\\u") else { throw error("half of a surrogate pair") }
            let low = try hexadecimal()
            guard low >= 0xDC00, low <= 0xDFFF else { throw error("half of a surrogate pair") }
            return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        default: throw error("unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(UnderstudyError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard index < bytes.count, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
                throw error("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}

extension JSONParser {
    private func digit() -> UInt64? {
        guard index < bytes.count, bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") else {
            return nil
        }
        return UInt64(bytes[index] - UInt8(ascii: "0"))
    }

    private mutating func number() throws(UnderstudyError) -> Double {
        let negative = take(UInt8(ascii: "-"))
        var significand: UInt64 = 0
        var exponent = 0
        guard let first = digit() else { throw error("expected a digit") }
        index += 1
        significand = first
        while let next = digit() {
            if first == 0 { throw error("a number can't start with 0") }
            index += 1
            if exponent > 0 || !append(next, to: &significand) { exponent += 1 }
        }
        if take(UInt8(ascii: ".")) {
            guard digit() != nil else { throw error("expected a digit after the decimal point") }
            var full = exponent > 0
            while let next = digit() {
                index += 1
                if full { continue }
                if append(next, to: &significand) { exponent -= 1 } else { full = true }
            }
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            let minus = take(UInt8(ascii: "-"))
            if !minus { _ = take(UInt8(ascii: "+")) }
            guard digit() != nil else { throw error("expected a digit in the exponent") }
            var power = 0
            while let next = digit() {
                index += 1
                power = min(power * 10 + Int(next), 1_000_000)
            }
            exponent += minus ? -power : power
        }
        return try scale(significand, by: exponent, negative: negative)
    }

    /// Returns false without a change if the digit doesn't fit.
    private func append(_ digit: UInt64, to significand: inout UInt64) -> Bool {
        let (tenfold, overflow) = significand.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tenfold.addingReportingOverflow(digit)
        if overflow || carry { return false }
        significand = sum
        return true
    }

    private func scale(_ significand: UInt64, by exponent: Int, negative: Bool) throws(UnderstudyError) -> Double {
        var value = Double(significand)
        var exponent = exponent
        while exponent < -308, value != 0 {
            value /= 1e308
            exponent += 308
        }
        if value != 0 {
            guard exponent <= 308 else { throw error("a number is too large") }
            if exponent >= 0 { value *= Self.powersOfTen[exponent] } else { value /= Self.powersOfTen[-exponent] }
            guard value.isFinite else { throw error("a number is too large") }
        }
        return negative ? -value : value
    }

    /// 10^0 … 10^308, correctly rounded.
    private static let powersOfTen: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }
}

/// A parsed JSON text. Strings are kept as UTF-8 bytes; an object keeps its members in the file's order.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    case object([(name: [UInt8], value: JSONValue)])

    /// The member of that name (the last one if there are several, as in Python's json).
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

    /// The value as an integer from 0 to 2^53.
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

    /// The name of the value's type for error messages.
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
