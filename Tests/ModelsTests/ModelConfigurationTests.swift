import Diagnostics
import Models
import Testing

@Suite struct ModelConfigurationTests {
    private enum Activation: String, CaseIterable { case gelu, relu }

    private func parse(_ json: String) throws(UnderstudyError) -> ModelConfiguration {
        let bytes = Array(json.utf8)
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(UnderstudyError) in try ModelConfiguration(json: bytes, path: "m/config.json") }
        }
        return try outcome.get()
    }

    @Test func readsEveryType() throws {
        let configuration = try parse(
            #"{"n": 12, "p": 1e-12, "s": "bert", "b": true, "a": ["x", "ü"], "o": {"t": 1.5}, "z": null, "h": "relu"}"#)
        #expect(try configuration.integer("n", in: 1...12) == 12)
        #expect(try configuration.double("p", in: 0...1) == 1e-12)
        #expect(try configuration.double("n", in: 0...20) == 12)
        #expect(try configuration.string("s") == "bert")
        #expect(try configuration.boolean("b"))
        #expect(try configuration.strings("a") == ["x", "ü"])
        #expect(try configuration.object("o").double("t", in: 1...2) == 1.5)
        #expect(try configuration.choice("h", of: Activation.self) == .relu)
        #expect(try configuration.optionalInteger("z", in: 0...1) == nil)
        #expect(try configuration.optionalString("absent") == nil)
        #expect(!configuration.contains("z"))
    }

    @Test(arguments: [
        (#"{}"#, #"key "n": it is missing"#),
        (#"{"n": null}"#, #"key "n": it is missing"#),
        (#"{"n": "12"}"#, #"key "n": it is a string, but a whole number is needed"#),
        (#"{"n": 1.0}"#, #"key "n": it is a number, but a whole number is needed"#),
        (#"{"n": 99999999999999999999}"#, #"key "n": it is a number, but a whole number is needed"#),
        (#"{"n": 13}"#, #"key "n": it is 13, but must be from 1 to 12"#),
    ])
    func namesKeyAndCause(json: String, message: String) throws {
        let configuration = try parse(json)
        #expect(throws: UnderstudyError(.invalidData, message, at: "m/config.json")) {
            try configuration.integer("n", in: 1...12)
        }
    }

    @Test func namesTheWayToAKeyInside() throws {
        let configuration = try parse(#"{"calibration": {"temperature": -1}}"#)
        #expect(
            throws: UnderstudyError(
                .invalidData, #"key "calibration.temperature": it is -1.0, but must be from 0.0 to 9.0"#,
                at: "m/config.json")
        ) {
            try configuration.object("calibration").double("temperature", in: 0...9)
        }
    }

    @Test func listsTheChoices() throws {
        let configuration = try parse(#"{"hidden_act": "swish"}"#)
        #expect(
            throws: UnderstudyError(
                .invalidData, #"key "hidden_act": it is "swish", but must be one of "gelu", "relu""#,
                at: "m/config.json")
        ) {
            try configuration.choice("hidden_act", of: Activation.self)
        }
    }

    @Test(arguments: [
        ("", "1:1"), ("{\n  \"a\": 1,\n  \"a\": 2}", "3:3"), ("{} x", "1:4"), ("{\"a\": 01}", "1:7"),
        ("{\"a\": tru}", "1:7"), ("{\"a\": \"\u{1}\"}", "1:8"), ("{\"a\": \"\\ud800\"}", "1:8"),
        ("{\"a\": [1,]}", "1:10"),
        ("{'a': 1}", "1:2"), ("{\"a\": NaN}", "1:7"), ("{\"a\": 1", "1:8"), ("{\"a\": \"b}", "1:7"),
        (String(repeating: "[", count: 100_000), "1:65"),
    ])
    func refusesBadJSONWithItsPlace(json: String, place: String) throws {
        let error = try #require(throws: UnderstudyError.self) { try parse(json) }
        #expect(error.code == .invalidData)
        #expect(error.place == "m/config.json:\(place)")
    }

    @Test func refusesOtherThanAnObject() {
        #expect(
            throws: UnderstudyError(
                .invalidData, "the file holds an array, but an object is needed", at: "m/config.json")
        ) { try parse("[1]") }
    }

    @Test func decodesEscapes() throws {
        let configuration = try parse(#"{"s": "\u4f60\ud83d\ude00\n\/\"\\\b\f\r\t"}"#)
        #expect(try configuration.string("s") == "你😀\n/\"\\\u{8}\u{c}\r\t")
    }

    @Test func labelsComeInNumericOrder() throws {
        let pairs = (0..<12).reversed().map { #""\#($0)": "label \#($0)""# }.joined(separator: ", ")
        let configuration = try parse("{\"id2label\": {\(pairs)}, \"num_labels\": 12}")
        #expect(try configuration.optionalLabels() == (0..<12).map { "label \($0)" })
        #expect(try parse("{}").optionalLabels() == nil)
        #expect(try parse(#"{"labels": ["体育", "财经"]}"#).labels() == ["体育", "财经"])
    }

    @Test(arguments: [
        #"{"id2label": {"0": "a", "2": "b"}}"#, #"{"id2label": {"0": "a", "00": "b"}}"#,
        #"{"id2label": {"0": "a", "1": "a"}}"#, #"{"id2label": {"-1": "a"}}"#, #"{"id2label": {"zero": "a"}}"#,
        #"{"id2label": {"0": 1}}"#, #"{"id2label": {}}"#, #"{"id2label": {"0": ""}}"#, #"{"id2label": ["a"]}"#,
        #"{"id2label": {"0": "a"}, "num_labels": 2}"#, #"{"id2label": {"0": "a"}, "label2id": {"a": 1}}"#,
        #"{"id2label": {"0": "a"}, "label2id": {"b": 0}}"#, #"{"id2label": {"9223372036854775807": "a"}}"#,
        #"{"id2label": {"9223372036854775808": "a"}}"#,
    ])
    func refusesLabelsThatContradict(json: String) throws {
        let configuration = try parse(json)
        let error = try #require(throws: UnderstudyError.self) { try configuration.optionalLabels() }
        #expect(error.code == .invalidData)
        #expect(error.place == "m/config.json")
    }

    @Test func missingFileIsMissingInput() throws {
        let error = try #require(throws: UnderstudyError.self) { try ModelConfiguration(path: "/nowhere/config.json") }
        #expect(error == UnderstudyError(.missingInput, "no such file", at: "/nowhere/config.json"))
    }
}
