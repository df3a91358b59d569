import Diagnostics

/// One line of a data file: `{"text":…,"label":…,"id":…}`. Its buffers are reused from line to line.
struct DataRecord {
    private(set) var text: [UInt8] = []
    private(set) var label: String?
    /// The given id as text: a string's content, or an integer's digits.
    private(set) var id: String?

    private var key: [UInt8] = []
    private var value: [UInt8] = []

    private static let textKey = Array("text".utf8)
    private static let labelKey = Array("label".utf8)
    private static let idKey = Array("id".utf8)

    /// Takes the fields from a line's bytes. Of a field given twice the last counts, as in Python's json.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        var scanner = JSONLineScanner(line)
        var hasText = false
        label = nil
        id = nil
        scanner.skipSpace()
        guard scanner.take(UInt8(ascii: "{")) else {
            throw UnderstudyError(.invalidData, "a JSON object is expected, such as {\"text\":\"…\",\"label\":\"…\"}")
        }
        scanner.skipSpace()
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                scanner.skipSpace()
                try scanner.scanString(into: &key)
                scanner.skipSpace()
                try scanner.expect(UInt8(ascii: ":"))
                scanner.skipSpace()
                if key == Self.textKey {
                    hasText = try readText(&scanner)
                } else if key == Self.labelKey {
                    try readLabel(&scanner)
                } else if key == Self.idKey {
                    try readID(&scanner, line: line)
                } else {
                    try scanner.skipValue(scratch: &value)
                }
                scanner.skipSpace()
            } while scanner.take(UInt8(ascii: ","))
            try scanner.expect(UInt8(ascii: "}"))
        }
        scanner.skipSpace()
        guard scanner.current == nil else { throw scanner.malformed("something follows the object") }
        guard hasText else { throw UnderstudyError(.invalidData, "the field \"text\" is missing") }
    }

    private mutating func readText(_ scanner: inout JSONLineScanner) throws(UnderstudyError) -> Bool {
        guard scanner.current == UInt8(ascii: "\"") else {
            try scanner.skipValue(scratch: &value)
            throw UnderstudyError(.invalidData, "the field \"text\" must be a string")
        }
        try scanner.scanString(into: &text)
        return true
    }

    private mutating func readLabel(_ scanner: inout JSONLineScanner) throws(UnderstudyError) {
        switch scanner.current {
        case UInt8(ascii: "\""):
            try scanner.scanString(into: &value)
            guard !value.isEmpty else {
                throw UnderstudyError(
                    .invalidData, "the label is empty; leave the field out where the label isn't known")
            }
            label = String(decoding: value, as: UTF8.self)
        case UInt8(ascii: "n"):
            try scanner.expectWord("null")
            label = nil
        default:
            try scanner.skipValue(scratch: &value)
            throw UnderstudyError(.invalidData, "the field \"label\" must be a string (or be left out)")
        }
    }

    private mutating func readID(
        _ scanner: inout JSONLineScanner, line: UnsafeBufferPointer<UInt8>
    ) throws(UnderstudyError) {
        switch scanner.current {
        case UInt8(ascii: "\""):
            try scanner.scanString(into: &value)
            id = String(decoding: value, as: UTF8.self)
        case UInt8(ascii: "n"):
            try scanner.expectWord("null")
            id = nil
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            id = String(decoding: line[try scanner.scanNumber()], as: UTF8.self)
        default:
            try scanner.skipValue(scratch: &value)
            throw UnderstudyError(.invalidData, "the field \"id\" must be a string or a number (or be left out)")
        }
    }
}
