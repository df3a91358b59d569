import Bytes

/// Reads a JSON input line: extracts the text from one field and passes the other fields through.
///
/// A passed field keeps the bytes of its key and value exactly as in the input. If its key is one that output records
/// use, or such a key behind one or more `input_` prefixes, `input_` is prepended: `label` becomes `input_label`,
/// `input_label` becomes `input_input_label`. So the renaming causes no duplicate keys and loses no field. The text's
/// own field isn't passed: the record has it as `text`.
public final class JSONFields {
    /// The keys of output records under any options, so that the layout doesn't depend on the options.
    public static let reservedKeys = [
        "id", "source", "text", "label", "confidence", "by", "student", "teacher", "student_label",
        "student_confidence", "teacher_label", "teacher_confidence", "logits", "teacher_logits",
    ]

    private static let prefix = Array("input_".utf8)

    private let field: [UInt8]
    private let reserved: [[UInt8]]
    private let longestReserved: Int
    private let unescaped = ByteBuffer()

    public init(field: String) {
        self.field = Array(field.utf8)
        reserved = Self.reservedKeys.map { Array($0.utf8) }
        longestReserved = reserved.map(\.count).max() ?? 0
    }

    /// Appends the text to `text` and `,"key":value…` to `passed`. If a flaw is returned, the appended bytes are
    /// invalid.
    public func read(
        _ line: UnsafeBufferPointer<UInt8>, text: ByteBuffer, passed: ByteBuffer
    ) -> LineFlaw? {
        var scanner = JSONScanner(line)
        scanner.skipWhitespace()
        guard scanner.next == UInt8(ascii: "{") else {
            guard scanner.value() else { return malformed(scanner) }
            return ending(&scanner) ?? .notAnObject
        }
        _ = scanner.take(UInt8(ascii: "{"))
        scanner.skipWhitespace()
        var flaw: LineFlaw?
        var found = false
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                scanner.skipWhitespace()
                let keyStart = scanner.position
                guard scanner.key() else { return malformed(scanner) }
                let valueStart = scanner.position
                guard scanner.value(depth: 1) else { return malformed(scanner) }
                let key = keyText(line, from: keyStart)
                if matches(key, field) {
                    if found { flaw = flaw ?? .repeatedField(at: keyStart + 1) }
                    if line[valueStart] != UInt8(ascii: "\"") {
                        flaw = flaw ?? .fieldNotString(at: valueStart + 1)
                    } else if !found {
                        let inside = line[(valueStart + 1)..<(scanner.position - 1)]
                        JSONString.unescape(UnsafeBufferPointer(rebasing: inside), into: text)
                    }
                    found = true
                } else {
                    pass(line, keyStart, scanner.position, collides(key), passed)
                }
                scanner.skipWhitespace()
            } while scanner.take(UInt8(ascii: ","))
            guard scanner.take(UInt8(ascii: "}")) else {
                _ = scanner.fail(.expectedCommaOrBrace)
                return malformed(scanner)
            }
        }
        // A line that isn't valid JSON to its end is reported as malformed, whatever other flaws it has.
        return ending(&scanner) ?? flaw ?? (found ? nil : .missingField)
    }

    private func ending(_ scanner: inout JSONScanner) -> LineFlaw? {
        scanner.skipWhitespace()
        return scanner.isAtEnd ? nil : .malformedJSON(at: scanner.position + 1, .trailingBytes)
    }

    private func malformed(_ scanner: JSONScanner) -> LineFlaw {
        .malformedJSON(at: scanner.position + 1, scanner.problem ?? .unexpectedEnd)
    }

    /// The decoded key whose quote is at `start`; valid until the next call.
    private func keyText(_ line: UnsafeBufferPointer<UInt8>, from start: Int) -> UnsafeBufferPointer<UInt8> {
        let (inside, hasEscapes) = JSONString.inside(line, from: start)
        guard hasEscapes else { return inside }
        unescaped.removeAll()
        JSONString.unescape(inside, into: unescaped)
        return unescaped.bytes
    }

    private func matches(_ key: UnsafeBufferPointer<UInt8>, _ name: [UInt8], from start: Int = 0) -> Bool {
        guard key.count - start == name.count else { return false }
        for index in name.indices where key[start + index] != name[index] { return false }
        return true
    }

    private func collides(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        var start = 0
        while startsWithPrefix(key, start) { start += Self.prefix.count }
        guard key.count - start <= longestReserved else { return false }
        for name in reserved where matches(key, name, from: start) { return true }
        return false
    }

    private func startsWithPrefix(_ key: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        guard key.count - start >= Self.prefix.count else { return false }
        for index in Self.prefix.indices where key[start + index] != Self.prefix[index] { return false }
        return true
    }

    private func pass(
        _ line: UnsafeBufferPointer<UInt8>, _ keyStart: Int, _ end: Int, _ renamed: Bool, _ passed: ByteBuffer
    ) {
        passed.append(UInt8(ascii: ","))
        var start = keyStart
        if renamed {
            passed.append(UInt8(ascii: "\""))
            passed.append(Self.prefix)
            start += 1
        }
        passed.append(UnsafeBufferPointer(rebasing: line[start..<end]))
    }
}
