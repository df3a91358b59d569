import Bytes
import Diagnostics
import Distillation
import Foundation
import Testing

@Suite struct DataSetReadingTests {
    private func parse(_ text: String, labels: [String]? = nil) throws -> DataSet {
        try DataSet.parse(Array(text.utf8), name: "lines.jsonl", labels: labels)
    }

    private func failure(_ text: String, labels: [String]? = nil) -> UnderstudyError? {
        do {
            _ = try parse(text, labels: labels)
            return nil
        } catch {
            return error as? UnderstudyError
        }
    }

    @Test func rowsAreReadInOrder() throws {
        let set = try parse(
            """
            {"text": "球队昨晚赢下比赛", "label": "sports"}
            {"label":"car","extra":{"a":[1,2.5e3,true,null,"x"]},"text":"新车下月上市","id":"n-7"}

              {"text": "", "id": 6587}\u{20}
            {"text":"a","label":null,"id":null}
            """)
        #expect(set.labels == ["car", "sports"])
        #expect((0..<4).map(set.text) == ["球队昨晚赢下比赛", "新车下月上市", "", "a"])
        #expect(set.labelIndices == [1, 0, -1, -1])
        #expect(set.id(1) == "n-7")
        #expect(set.id(2) == "6587")
        #expect(set.id(0).count == 16)
        #expect(set.id(0) == String(StableHash.hash("球队昨晚赢下比赛"), radix: 16))
        #expect(set.labelledCount == 2)
    }

    @Test func aGivenLabelOrderIsKept() throws {
        let set = try parse("{\"text\":\"x\",\"label\":\"b\"}", labels: ["c", "b", "a"])
        #expect(set.labels == ["c", "b", "a"])
        #expect(set.labelIndices == [1])
    }

    @Test func labelsAreSortedByCodePoint() throws {
        let rows = ["体育", "b", "B", "é", "e\u{301}", "😀", "\u{ff5e}"].map { "{\"text\":\"x\",\"label\":\"\($0)\"}" }
        // As Python's sorted(), but that Swift takes the two spellings of é for one label.
        #expect(try parse(rows.joined(separator: "\n")).labels == ["B", "b", "é", "体育", "\u{ff5e}", "😀"])
    }

    @Test func escapesAndWindowsLineEndsAreUnderstood() throws {
        let set = try parse("\u{feff}{\"te\\u0078t\":\"\\u4f53\\\\\\\"\\n\\t\\/\\ud83d\\ude00\\u0000\"}\r\n\r\n")
        #expect(set.text(0) == "体\\\"\n\t/😀\0")
    }

    @Test(arguments: [
        (
            "{\"text\":\"a\"}\n{\"text\":\"b\"",
            "lines.jsonl:2: malformed JSON at byte 12 of the line: expected \"}\""
        ),
        ("\n\n{\"text\":\"a", "lines.jsonl:3: malformed JSON at byte 11 of the line: unterminated string"),
        ("{\"label\":\"a\"}", "lines.jsonl:1: the field \"text\" is missing"),
        ("{}", "lines.jsonl:1: the field \"text\" is missing"),
        ("{\"text\":7}", "lines.jsonl:1: the field \"text\" must be a string"),
        ("{\"text\":\"a\",\"label\":3}", "lines.jsonl:1: the field \"label\" must be a string (or be left out)"),
        ("{\"text\":\"a\",\"label\":\"\"}", "lines.jsonl:1: the label is empty"),
        ("{\"text\":\"a\",\"id\":[1]}", "lines.jsonl:1: the field \"id\" must be a string or a number"),
        ("[\"text\"]", "lines.jsonl:1: expected a JSON object"),
        ("text", "lines.jsonl:1: expected a JSON object"),
        (
            "{\"text\":\"a\"} {}",
            "lines.jsonl:1: malformed JSON at byte 14 of the line: unexpected text after the object"
        ),
        ("{\"text\":\"a\",}", "malformed JSON"),
        ("{\"text\":\"\\ud800x\"}", "unpaired surrogate"),
        ("{\"text\":\"\\udc00\"}", "unpaired surrogate"),
        ("{\"text\":\"\\x\"}", "unknown escape"),
        ("{\"text\":\"\\u12g4\"}", "four hexadecimal digits"),
        ("{\"text\":\"a\tb\"}", "a control character"),
        ("{\"text\":\"a\",\"n\":01}", "malformed JSON"),
        ("{\"text\":\"a\",\"n\":1.}", "expected a value"),
        ("{\"text\":\"a\",\"n\":nul}", "expected a value"),
        ("", "lines.jsonl: contains no rows"),
        ("\n \n", "lines.jsonl: contains no rows"),
    ])
    func errorsNameTheLine(text: String, message: String) throws {
        let error = try #require(failure(text))
        #expect(error.description.contains(message), "\(error)")
        #expect(error.code == .invalidData)
    }

    @Test func unknownLabelsAreRefusedByName() throws {
        let error = try #require(failure("{\"text\":\"a\",\"label\":\"house\"}", labels: ["car", "edu"]))
        #expect(
            error.description == "lines.jsonl:1: the label \"house\" isn't one of the model's labels: car, edu")
    }

    @Test func bytesThatArentUTF8AreRefused() throws {
        let bytes = Array("{\"text\":\"".utf8) + [0xff, 0xfe] + Array("\"}".utf8)
        #expect(throws: UnderstudyError.self) { try DataSet.parse(bytes, name: "x") }
    }

    @Test func deepNestingIsRefusedNotRecursedInto() throws {
        let deep = String(repeating: "[", count: 100_000)
        let error = try #require(failure("{\"text\":\"a\",\"x\":\(deep)"))
        #expect(error.description.contains("nested too deeply"))
    }

    @Test func everyTruncationIsAnErrorOrARow() throws {
        let whole = Array("{\"text\":\"体育\\u4f53\\n\",\"id\":-1.5e+3,\"x\":[{\"y\":null}],\"label\":\"a\"}".utf8)
        for length in 1..<whole.count {
            #expect(throws: UnderstudyError.self) { try DataSet.parse(Array(whole[..<length]), name: "x") }
        }
        #expect(try DataSet.parse(whole, name: "x").text(0) == "体育体\n")
    }

    /// Whatever Foundation reads, this reads alike; whatever it refuses, this refuses. Over random edits of a row.
    @Test func agreesWithFoundationOnRandomEdits() throws {
        struct Row: Decodable {
            let text: String
        }
        var generator = SystemRandomNumberGenerator()
        let whole = Array("{\"text\":\"ab\\u4f53\\n\",\"n\":[-1.5e+3,true,{\"y\":null}]}".utf8)
        let pieces = Array("{}[]\",:\\0123456789.eE+-truefalsn \u{1}ud8".utf8)
        var accepted = 0
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = pieces.randomElement(using: &generator) ?? 0
            }
            let theirs = try? JSONDecoder().decode(Row.self, from: Data(bytes)).text
            let ours = try? DataSet.parse(bytes, name: "x").text(0)
            // Foundation forgives some texts that the grammar doesn't allow; never the other way round.
            if ours != nil { accepted += 1 }
            if let ours { #expect(theirs == ours, "\(String(decoding: bytes, as: UTF8.self))") }
        }
        #expect(accepted > 300)
    }

    @Test func filesAreRead() throws {
        let path = NSTemporaryDirectory() + "understudy-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Larger than the first buffer.
        let rows = (0..<5000).map { "{\"text\":\"第\($0)号列车今晨发车\",\"label\":\"\($0 % 3)\"}\n" }
        try Data(rows.joined().utf8).write(to: URL(fileURLWithPath: path))
        let set = try DataSet.read(path: path)
        #expect(set.count == 5000)
        #expect(set.text(4999) == "第4999号列车今晨发车")
        #expect(set.labels == ["0", "1", "2"])
    }

    @Test func filesThatCantBeReadAreMissingInput() {
        for path in ["/nonexistent/x.jsonl", "/tmp"] {
            do {
                _ = try DataSet.read(path: path)
                Issue.record("\(path) was read")
            } catch {
                #expect(error.code == .missingInput)
                #expect(error.place == path)
            }
        }
    }
}
