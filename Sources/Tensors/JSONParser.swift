import Diagnostics

/// A recursive-descent parser of RFC 8259 over bytes; see `JSONTree.parse`.
struct JSONParser {
    /// Deeper documents are refused: model files don't nest this deeply, and each level uses stack.
    private static let maximumDepth = 64

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var nodesLeft: Int

    init(_ bytes: UnsafeRawBufferPointer, maximumNodes: Int) {
        self.bytes = bytes
        nodesLeft = maximumNodes
    }

    mutating func document() throws(JSONTree.SyntaxError) -> JSONTree {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("there is text after the end of the document") }
        return value
    }

    private func failure(_ message: String, at offset: Int? = nil) -> JSONTree.SyntaxError {
        JSONTree.SyntaxError(offset: offset ?? position, message: message)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func value(depth: Int) throws(JSONTree.SyntaxError) -> JSONTree {
        guard depth < Self.maximumDepth else { throw failure("values are nested too deeply") }
        nodesLeft -= 1
        guard nodesLeft >= 0 else { throw failure("the document has too many values") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case nil: throw failure("the document ends early")
        case let byte?:
            guard byte == UInt8(ascii: "-") || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) else {
                throw failure("a value must start here")
            }
            return try number()
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONTree) throws(JSONTree.SyntaxError) -> JSONTree {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length else { throw failure("the document ends early") }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] {
            throw failure("a value must start here")
        }
        position += length
        return value
    }

    private mutating func object(depth: Int) throws(JSONTree.SyntaxError) -> JSONTree {
        position += 1
        var object = JSONObject()
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object(object)
        }
        while true {
            skipSpace()
            let start = position
            guard next == UInt8(ascii: "\"") else { throw failure("a key in quotes must stand here") }
            let key = try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw failure("a colon must follow the key") }
            position += 1
            guard object.insert(key, try value(depth: depth + 1)) else {
                throw failure("the key \(Quoting.name(key)) stands there twice", at: start)
            }
            guard try separator(closing: UInt8(ascii: "}")) else { return .object(object) }
        }
    }

    private mutating func array(depth: Int) throws(JSONTree.SyntaxError) -> JSONTree {
        position += 1
        var elements: [JSONTree] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value(depth: depth + 1))
            guard try separator(closing: UInt8(ascii: "]")) else { return .array(elements) }
        }
    }

    /// Skips a comma (true) or the closing bracket (false).
    private mutating func separator(closing: UInt8) throws(JSONTree.SyntaxError) -> Bool {
        skipSpace()
        guard let byte = next else { throw failure("the document ends early") }
        guard byte == UInt8(ascii: ",") || byte == closing else {
            throw failure("a comma or a closing bracket must stand here")
        }
        position += 1
        return byte != closing
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSONTree.SyntaxError) -> JSONTree {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        let leadingZero = next == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !(leadingZero && whole > 1) else { throw failure("this is not a number", at: start) }
        if next == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw failure("this is not a number", at: start) }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { position += 1 }
            guard digits() > 0 else { throw failure("this is not a number", at: start) }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func string() throws(JSONTree.SyntaxError) -> String {
        let start = position
        position += 1
        var runStart = position
        var unescaped: [UInt8]?
        while true {
            guard let byte = next else { throw failure("the string is not closed", at: start) }
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else { throw failure("a control character stands in a string") }
            guard byte == UInt8(ascii: "\\") else {
                position += 1
                continue
            }
            var text = unescaped ?? []
            text.append(contentsOf: bytes[runStart..<position])
            text.append(contentsOf: try escape().utf8Bytes)
            unescaped = text
            runStart = position
        }
        var whole = unescaped ?? []
        whole.append(contentsOf: bytes[runStart..<position])
        position += 1
        guard let text = String(validating: whole, as: UTF8.self) else {
            throw failure("a string is not UTF-8", at: start)
        }
        return text
    }

    private mutating func escape() throws(JSONTree.SyntaxError) -> Unicode.Scalar {
        let start = position
        position += 1
        guard let byte = next else { throw failure("the document ends early") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if code >= 0xd800, code < 0xdc00, next == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = try hexadecimal()
                guard low >= 0xdc00, low < 0xe000 else { throw failure("half a surrogate pair", at: start) }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair", at: start) }
            return scalar
        default: throw failure("an unknown escape", at: start)
        }
    }

    private mutating func hexadecimal() throws(JSONTree.SyntaxError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("the document ends early") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("\\u needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}

extension Unicode.Scalar {
    fileprivate var utf8Bytes: Unicode.UTF8.EncodedScalar {
        Unicode.UTF8.encode(self) ?? Unicode.UTF8.encodedReplacementCharacter
    }
}
