import Bytes

import Testing

@Suite struct JSONTreeTests {
    private func parse(_ text: String) throws -> JSONTree {
        let bytes = Array(text.utf8)
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try JSONReader().read(bytes) }
        }
        return try outcome.get()
    }

    @Test func laysOutAsPythonDoes() {
        let tree = JSONTree.members([
            "labels": .strings(["体育", "a\"b"]), "empty": .array([]), "none": .members([]), "n": .integer(-3),
            "t": .double(1.5 as Float), "o": .members(["b": .bool(true), "z": .null]),
        ])
        // json.dumps(…, indent=2, ensure_ascii=False) of the same.
        #expect(
            tree.written() == """
                {
                  "labels": [
                    "体育",
                    "a\\"b"
                  ],
                  "empty": [],
                  "none": {},
                  "n": -3,
                  "t": 1.5,
                  "o": {
                    "b": true,
                    "z": null
                  }
                }
                """)
        #expect(tree.written(.compact).hasPrefix(#"{"labels":["体育","a\"b"],"empty":[],"none":{},"n":-3"#))
        #expect(tree.written(.indentedRows).hasPrefix("{\n  \"labels\": [\"体育\", \"a\\\"b\"],\n  \"empty\": [],"))
    }

    @Test func escapesWhatCouldDisturbATerminal() {
        let text = JSONTree.string("a\u{8}\u{85}\u{202e}/")
        #expect(text.written() == #""a\u0008\u0085\u202e/""#)
        #expect(text.written(escapes: .fewest) == "\"a\\b\u{85}\u{202e}/\"")
    }

    @Test func readsBackWhatItWrites() throws {
        let hard = String(String.UnicodeScalarView((0..<0x2100).compactMap { Unicode.Scalar($0) })) + "😀\u{10ffff}"
        let tree = JSONTree.members([
            (hard, .array([.null, .bool(false), .double(Double.leastNonzeroMagnitude), .double(Float.pi)])),
            ("max", .integer(UInt64.max)), ("min", .integer(Int.min)), ("s", .string(hard)),
        ])
        let back = try parse(tree.written())
        #expect(back == tree)
        guard case .object(let members) = back else {
            Issue.record("not an object")
            return
        }
        #expect(members["min"]?.integer == Int.min)
        #expect(members["max"]?.integer == nil)
        #expect(members["max"]?.double == 0x1p64)
        #expect(try parse("1e999").double == nil)
        #expect(try parse("[1, 1.0, -0]") == .array([.number("1"), .number("1.0"), .number("-0")]))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", "[,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "nul", "truE", "+1",
        "01",
        "1.", ".5", "1e", "1e+", "-", "--1", "0x1", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"", "\"\\ud800", "\"\t\"", "[1]]", "{\"a\":1,\"\\u0061\":2}", "\u{feff}{}", "Infinity", "NaN",
        "/*c*/1", "'a'",
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe4, 0xbd]] {
            let document = [0x22] + bytes + [0x22]
            let outcome = document.withUnsafeBytes { bytes in
                Result { () throws(JSONError) in try JSONReader().read(bytes) }
            }
            let error = #expect(throws: JSONError.self) { try outcome.get() }
            #expect(error?.place == 0)
            #expect(error?.message == "a string is not UTF-8")
        }
    }

    @Test(
        arguments: [
            ("01", "byte 0: invalid number"), ("[1.]", "byte 1: invalid number"),
            ("[nul]", "byte 1: expected a value"), ("nul", "byte 3: unexpected end of the document"),
            ("[\"a", "byte 1: unterminated string"), ("[1", "byte 2: unexpected end of the document"),
            ("[1 2]", "byte 3: expected a comma or a closing bracket"),
            ("{\"a\" 1}", "byte 5: expected a colon after the key"),
            ("{1}", "byte 1: expected a key in quotes"), (#"["\x"]"#, "byte 2: unknown escape"),
            (#"["\u12g4"]"#, #"byte 2: \u needs four hexadecimal digits"#),
            (#"["\ud800x"]"#, "byte 2: unpaired surrogate"),
            ("{} x", "byte 3: unexpected text after the document"),
            (#"{"a":1,"b":2,"a":3}"#, #"byte 13: the key "a" is repeated"#),
        ])
    func namesTheByte(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try parse(text) }
        #expect(error.map { "byte \($0.place): \($0.message)" } == message)
    }

    @Test func appliesTheCallersRules() throws {
        func read(_ text: String, _ reader: JSONReader) throws -> JSONTree {
            try Array(text.utf8).withUnsafeBytes { try reader.read($0) }
        }
        #expect(try read("[[]]", JSONReader(maximumDepth: 2)) == .array([.array([])]))
        #expect(throws: JSONError.self) { try read("[[[]]]", JSONReader(maximumDepth: 2)) }
        #expect(try read(#"{"a":1,"a":2}"#, JSONReader(allowsDuplicateKeys: true))["a"]?.integer == 2)
        let finite = JSONReader(allowsLargeNumbers: false)
        #expect(try read("[1e308, 0e999, 1]", finite).array?.count == 3)
        for large in ["1e309", "-1E400", "1" + String(repeating: "0", count: 309)] {
            #expect(throws: JSONError.self) { try read(large, finite) }
        }
    }

    @Test func boundsTheMemoryOfHostileDocuments() {
        let many = Array(("[" + String(repeating: "1,", count: 1000) + "1]").utf8)
        let outcome = many.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try JSONReader(maximumValues: 1000).read(bytes) }
        }
        #expect(throws: JSONError.self) { try outcome.get() }
    }
}
