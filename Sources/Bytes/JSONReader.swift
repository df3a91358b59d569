/// Reads a JSON document (RFC 8259) as a `JSONTree`; what it accepts beyond the syntax is chosen by the caller.
public struct JSONReader: Sendable {
    /// Containers that may be nested in each other: each level uses stack.
    public var maximumDepth: Int
    /// Bounds the memory of a hostile document.
    public var maximumValues: Int
    /// Whether an object may have a key twice; the last one counts then.
    public var allowsDuplicateKeys: Bool
    /// Whether a number may be beyond the largest Double.
    public var allowsLargeNumbers: Bool

    public init(
        maximumDepth: Int = 64, maximumValues: Int = 4_000_000, allowsDuplicateKeys: Bool = false,
        allowsLargeNumbers: Bool = true
    ) {
        self.maximumDepth = maximumDepth
        self.maximumValues = maximumValues
        self.allowsDuplicateKeys = allowsDuplicateKeys
        self.allowsLargeNumbers = allowsLargeNumbers
    }

    /// Reads a whole document.
    public func read(_ document: UnsafeRawBufferPointer) throws(JSONError) -> JSONTree {
        let bytes = document.bindMemory(to: UInt8.self)
        var pass = Pass(rules: self, bytes: bytes, scanner: JSONScanner(bytes), valuesLeft: maximumValues)
        return try pass.document()
    }
}

/// One pass over a document.
private struct Pass {
    let rules: JSONReader
    let bytes: UnsafeBufferPointer<UInt8>
    var scanner: JSONScanner
    var valuesLeft: Int
    let unescaped = ByteBuffer()

    mutating func document() throws(JSONError) -> JSONTree {
        scanner.skipWhitespace()
        let value = try value(depth: 0)
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { throw failure(.syntax(.trailingBytes), from: scanner.position) }
        return value
    }

    private func failure(_ problem: JSONError.Problem, from start: Int) -> JSONError {
        JSONError(problem: problem, offset: scanner.position, start: start, isAtEnd: scanner.isAtEnd)
    }

    /// The error that the scanner found.
    private func failure(from start: Int) -> JSONError {
        failure(.syntax(scanner.failure ?? .unexpectedEnd), from: start)
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONTree {
        let start = scanner.position
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw failure(.tooManyValues, from: start) }
        switch scanner.next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        default: break
        }
        guard scanner.value() else { throw failure(from: start) }
        switch bytes[start] {
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        default: return .number(try number(from: start))
        }
    }

    /// The literal that the scanner has just skipped.
    private func number(from start: Int) throws(JSONError) -> String {
        // A number with a leading zero ends after it.
        guard scanner.next &- 0x30 >= 10 else { throw failure(.syntax(.badNumber), from: start) }
        let digits = bytes[start..<scanner.position]
        let literal = String(decoding: digits, as: UTF8.self)
        // A number without an exponent and of at most 300 digits is below the largest Double.
        if !rules.allowsLargeNumbers, digits.count > 300 || digits.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }),
            Double(literal)?.isFinite != true
        {
            throw failure(.numberTooLarge, from: start)
        }
        return literal
    }

    private mutating func enter(depth: Int) throws(JSONError) {
        guard depth < rules.maximumDepth else { throw failure(.syntax(.tooDeep), from: scanner.position) }
        _ = scanner.take(scanner.next)
        scanner.skipWhitespace()
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONTree] {
        try enter(depth: depth)
        var elements: [JSONTree] = []
        if scanner.take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            scanner.skipWhitespace()
            if scanner.take(UInt8(ascii: "]")) { return elements }
            guard scanner.take(UInt8(ascii: ",")) else {
                throw failure(.syntax(.expectedCommaOrBracket), from: scanner.position)
            }
            scanner.skipWhitespace()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        try enter(depth: depth)
        var object = JSONObject()
        var keys: Set<String> = []
        if scanner.take(UInt8(ascii: "}")) { return object }
        while true {
            let start = scanner.position
            guard scanner.next == UInt8(ascii: "\"") else { throw failure(.syntax(.expectedKey), from: start) }
            let key = try string()
            scanner.skipWhitespace()
            guard scanner.take(UInt8(ascii: ":")) else { throw failure(.syntax(.expectedColon), from: start) }
            scanner.skipWhitespace()
            object.append(key, try value(depth: depth + 1))
            if !rules.allowsDuplicateKeys, !keys.insert(key).inserted { throw failure(.duplicateKey(key), from: start) }
            scanner.skipWhitespace()
            if scanner.take(UInt8(ascii: "}")) { return object }
            guard scanner.take(UInt8(ascii: ",")) else {
                throw failure(.syntax(.expectedCommaOrBrace), from: scanner.position)
            }
            scanner.skipWhitespace()
        }
    }

    private mutating func string() throws(JSONError) -> String {
        let start = scanner.position
        guard scanner.string() else { throw failure(from: start) }
        var (inside, hasEscapes) = JSONString.inside(bytes, from: start)
        if hasEscapes {
            unescaped.removeAll()
            JSONString.unescape(inside, into: unescaped)
            inside = unescaped.bytes
        }
        guard let text = String(validating: inside, as: UTF8.self) else { throw failure(.notUTF8, from: start) }
        return text
    }
}
