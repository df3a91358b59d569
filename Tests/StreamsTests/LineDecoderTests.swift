import Bytes
import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

/// What a decoder said about a line, as comparable strings.
private enum Said: Equatable {
    case blank
    case flaw(LineFlaw)
    case text(String, passed: String)
}

private func decode(_ line: [UInt8], _ form: String = "line", maximum: Int = 1000) throws -> Said {
    let decoder = LineDecoder(form: try InputForm(form), maximumLineBytes: maximum)
    let record = Record(offset: 0, number: 1, start: 0, length: UInt32(line.count), chunk: 0)
    return line.withUnsafeBufferPointer { bytes in
        switch decoder.decode(record, bytes) {
        case .blank: .blank
        case .flaw(let flaw): .flaw(flaw)
        case .text(let text, let passed):
            .text(String(decoding: text, as: UTF8.self), passed: String(decoding: passed, as: UTF8.self))
        }
    }
}

private func decode(_ line: String, _ form: String = "line") throws -> Said {
    try decode(Array(line.utf8), form)
}

@Suite struct LineDecoderTests {
    @Test func aPlainLineIsItsText() throws {
        #expect(try decode("球队昨晚赢了") == .text("球队昨晚赢了", passed: ""))
        #expect(try decode("  spaces stay ") == .text("  spaces stay ", passed: ""))
    }

    @Test(arguments: ["", " ", "\t \u{0B}\u{0C}", "\u{3000}", " \u{3000} "])
    func whiteSpaceIsBlank(line: String) throws {
        for form in ["line", "jsonl:text", "tsv:1"] { #expect(try decode(line, form) == .blank) }
    }

    @Test func refusesWhatIsNoText() throws {
        #expect(try decode([0x61, 0xFF]) == .flaw(.notUTF8(at: 2)))
        #expect(try decode([0x61, 0x00]) == .flaw(.containsNUL(at: 2)))
        let decoder = LineDecoder(form: .line, maximumLineBytes: 10)
        let record = Record(offset: 0, number: 1, start: 0, length: 11, chunk: 0, kind: .tooLong)
        guard case .flaw(let flaw) = decoder.decode(record, UnsafeBufferPointer(start: nil, count: 0)) else {
            Issue.record("a line that is too long was taken")
            return
        }
        #expect(flaw == .tooLong(bytes: 11, maximum: 10))
    }

    @Test func tsvTakesAColumn() throws {
        #expect(try decode("a\tb\tc", "tsv:1") == .text("a", passed: ""))
        #expect(try decode("a\tb\tc", "tsv:3") == .text("c", passed: ""))
        #expect(try decode("a\t\tc", "tsv:2") == .text("", passed: ""))
        #expect(try decode("a\tb", "tsv:3") == .flaw(.missingColumn(found: 2, wanted: 3)))
        #expect(try decode("a\\tb", "tsv:1") == .text("a\\tb", passed: ""))
    }

    @Test func jsonTakesAFieldAndPassesTheOthers() throws {
        #expect(try decode(#"{"text":"新车\u4e0a市","n":1}"#, "jsonl:text") == .text("新车上市", passed: #","n":1"#))
        #expect(
            try decode(#" {"a": [1, {"b":2}] , "t":"x" , "c" : "\u00e9" } "#, "jsonl:t")
                == .text("x", passed: #","a": [1, {"b":2}],"c" : "\u00e9""#))
        #expect(try decode(#"{"t":""}"#, "jsonl:t") == .text("", passed: ""))
        #expect(try decode(#"{"t\u0065xt":"x"}"#, "jsonl:text") == .text("x", passed: ""))
    }

    @Test func keysOfOurOwnAreRenamed() throws {
        #expect(
            try decode(#"{"text":"x","label":"news","id":7}"#, "jsonl:text")
                == .text("x", passed: #","input_label":"news","input_id":7"#))
        #expect(
            try decode(#"{"t":"x","text":"y","input_label":1,"input_input_id":2,"input_x":3}"#, "jsonl:t")
                == .text("x", passed: #","input_text":"y","input_input_label":1,"input_input_input_id":2,"input_x":3"#))
        #expect(try decode(#"{"t":"x","\u0069d":1}"#, "jsonl:t") == .text("x", passed: #","input_\u0069d":1"#))
    }

    @Test(arguments: [
        (#"{"a":1}"#, LineFlaw.missingField), ("{}", .missingField), (#"{"t":1}"#, .fieldNotString(at: 6)),
        (#"{"t":null}"#, .fieldNotString(at: 6)), (#"{"t":"a","t":"b"}"#, .repeatedField(at: 10)),
        ("[1]", .notAnObject), ("\"t\"", .notAnObject), (#"{"t":"a"} x"#, .malformedJSON(at: 11, .trailingBytes)),
        (#"{"t":"a""#, .malformedJSON(at: 9, .unexpectedEnd)), ("no json", .malformedJSON(at: 2, .expectedValue)),
        (#"{"t":"a",}"#, .malformedJSON(at: 10, .expectedKey)), (#"{"t" "a"}"#, .malformedJSON(at: 6, .expectedColon)),
        (#"{"t":"a" "b":1}"#, .malformedJSON(at: 10, .expectedCommaOrBrace)),
        (#"{"t":"\ud800"}"#, .malformedJSON(at: 7, .loneSurrogate)), (#"{"t":"a\u0000"}"#, .containsNUL(at: 2)),
        (#"{"t":1,"b":}"#, .malformedJSON(at: 12, .expectedValue)),
    ])
    func namesWhatIsWrongWithAJSONLine(line: String, flaw: LineFlaw) throws {
        #expect(try decode(line, "jsonl:t") == .flaw(flaw))
    }

    @Test(arguments: 0..<300)
    func agreesWithFoundationOnRandomObjects(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let scalars = Array("aé股😀\"\\/\u{08}\u{0C}\n\r\t\u{1F}\u{7F}\u{2028}".unicodeScalars)
        func string() -> String {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                text.append(scalars.randomElement(using: &random) ?? "x")
            }
            return String(text)
        }
        let object: [String: any Sendable] = ["t": string(), "id": string(), "n": 12, "deep": [["k": string()]]]
        let line = try JSONSerialization.data(
            withJSONObject: object, options: Bool.random(using: &random) ? [] : .withoutEscapingSlashes)
        guard case .text(let text, let passed) = try decode(Array(line), "jsonl:t") else {
            Issue.record("refused \(String(decoding: line, as: UTF8.self))")
            return
        }
        #expect(text.unicodeScalars.elementsEqual((object["t"] as? String ?? "").unicodeScalars))
        let rest = try JSONSerialization.jsonObject(with: Data("{\"t\":0\(passed)}".utf8)) as? [String: Any]
        #expect(rest?["input_id"] as? String == object["id"] as? String)
        #expect(rest?["n"] as? Int == 12)
        #expect(rest?.count == 4)
    }

    @Test func inputFormsAreRead() throws {
        #expect(try InputForm("line") == .line)
        #expect(try InputForm("jsonl:a:b") == .jsonl(field: "a:b"))
        #expect(try InputForm("tsv:2") == .tsv(column: 2))
        for wrong in ["", "json", "jsonl", "jsonl:", "tsv", "tsv:0", "tsv:-1", "tsv:x", "csv:1"] {
            #expect(throws: UnderstudyError.self) { try InputForm(wrong) }
        }
    }
}
