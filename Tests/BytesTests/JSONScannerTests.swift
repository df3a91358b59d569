import Bytes
import Foundation

import TestSupport
import Testing

private func accepts(_ text: [UInt8]) -> Bool {
    text.withUnsafeBufferPointer { bytes in
        var scanner = JSONScanner(bytes)
        scanner.skipWhitespace()
        guard scanner.value() else { return false }
        scanner.skipWhitespace()
        return scanner.isAtEnd
    }
}

/// Foundation's word on the same bytes. Numbers that don't fit a double are legal JSON, but not to Foundation.
private func foundationAccepts(_ text: [UInt8]) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
}

@Suite struct JSONScannerTests {
    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "0", "-0", "1.5e-3", "\"\"", "[1,2,[3,{\"a\":[]}]]", " {\"a\" : 1 } ",
        #"{"a":"\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\"}"#, "[1E+2]", "\"股市\"",
    ])
    func takesJSON(text: String) {
        #expect(accepts(Array(text.utf8)))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "[1 2]", "01", "-", "1.", ".5", "1e",
        "+1", "tru", "nul", "True", "NaN", "Infinity", "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"",
        "\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\u0041\"", "\"\u{01}\"", "\"tab\there\"", "{} {}", "[] x", "[1}",
        "{\"a\":}", "{1:2}", "0x10", "[,1]", "//\n1",
    ])
    func refusesWhatIsNot(text: String) {
        #expect(!accepts(Array(text.utf8)))
    }

    @Test func refusesDeepNestingInsteadOfFalling() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth)
        }
        #expect(accepts(nested(JSONScanner.maximumDepth)))
        #expect(!accepts(nested(JSONScanner.maximumDepth + 1)))
        #expect(!accepts(Array(repeating: UInt8(ascii: "["), count: 60_000)))
    }

    @Test(arguments: 0..<1500)
    func agreesWithFoundation(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var text = Array(Self.randomValue(depth: 0, &random).utf8)
        let edits = Int.random(in: 0...2, using: &random)
        let alphabet = Array("{}[]\",:\\u0123d89ab.eE+-truefalsn \t".utf8)
        for _ in 0..<edits where !text.isEmpty {
            let place = Int.random(in: 0..<text.count, using: &random)
            let byte = alphabet.randomElement(using: &random) ?? 0x20
            switch Int.random(in: 0..<3, using: &random) {
            case 0: text[place] = byte
            case 1: text.insert(byte, at: place)
            default: text.remove(at: place)
            }
        }
        guard String(validating: text, as: UTF8.self) != nil else { return }
        #expect(accepts(text) == foundationAccepts(text), "\(String(decoding: text, as: UTF8.self))")
    }

    private static func randomValue(depth: Int, _ random: inout SplitMix) -> String {
        let space = ["", "", " ", "\t"].randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
        case 0: return ["true", "false", "null"].randomElement(using: &random) ?? "null"
        case 1: return ["0", "-1", "12.5", "1e3", "-0.25E-2", "100"].randomElement(using: &random) ?? "0"
        case 2, 3: return randomString(&random)
        case 4:
            let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in randomValue(depth: depth + 1, &random) }
            return "[" + space + items.joined(separator: space + ",") + "]"
        default:
            let items = (0..<Int.random(in: 0...3, using: &random)).map { index in
                "\"k\(index)\"" + space + ":" + randomValue(depth: depth + 1, &random)
            }
            return "{" + items.joined(separator: "," + space) + space + "}"
        }
    }

    private static func randomString(_ random: inout SplitMix) -> String {
        let pieces = ["a", "股", "\\n", "\\u0041", "\\ud83d\\ude00", "\\\\", "\\\"", "é", " ", "/", "\\/"]
        return "\""
            + (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined() + "\""
    }
}
