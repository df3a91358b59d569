import Tensors
import Testing

@Suite struct JSONTreeTests {
    private func parse(_ text: String) throws -> JSONTree {
        let bytes = Array(text.utf8)
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(JSONTree.SyntaxError) in try JSONTree.parse(bytes) }
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
            tree.text == """
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
    }

    @Test func readsBackWhatItWrites() throws {
        let hard = String(String.UnicodeScalarView((0..<0x2100).compactMap { Unicode.Scalar($0) })) + "😀\u{10ffff}"
        let tree = JSONTree.members([
            (hard, .array([.null, .bool(false), .double(Double.leastNonzeroMagnitude), .double(Float.pi)])),
            ("max", .integer(UInt64.max)), ("min", .integer(Int.min)), ("s", .string(hard)),
        ])
        let back = try parse(tree.text)
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
        #expect(throws: JSONTree.SyntaxError.self) { try parse(text) }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe4, 0xbd]] {
            let document = [0x22] + bytes + [0x22]
            let outcome = document.withUnsafeBytes { bytes in
                Result { () throws(JSONTree.SyntaxError) in try JSONTree.parse(bytes) }
            }
            #expect(throws: JSONTree.SyntaxError(offset: 0, message: "a string is not UTF-8")) { try outcome.get() }
        }
    }

    @Test func boundsTheMemoryOfHostileDocuments() {
        let many = Array(("[" + String(repeating: "1,", count: 1000) + "1]").utf8)
        let outcome = many.withUnsafeBytes { bytes in
            Result { () throws(JSONTree.SyntaxError) in try JSONTree.parse(bytes, maximumNodes: 1000) }
        }
        #expect(throws: JSONTree.SyntaxError.self) { try outcome.get() }
    }
}
