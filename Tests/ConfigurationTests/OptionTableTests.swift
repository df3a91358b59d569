import Configuration
import Testing

/// The reader does what the blocks of options say, for every option there is.
@Suite struct OptionTableTests {
    /// What may and what may not stand at an option, by its form alone.
    private static func values(_ option: OptionFacts) -> (right: [String], wrong: [String]) {
        switch option.form {
        case .choice(let words): (words, ["no_such_word", "[]", "3", words[0].uppercased()])
        case .flag: (["true", "false"], ["yes", "'true'", "1", "{}"])
        case .count(let range):
            (
                [String(range.lowerBound), String(range.upperBound)],
                [String(range.lowerBound - 1), String(range.upperBound + 1), "1.5", "'3'", "0x10", "1_0", "many"]
            )
        case .number(let range):
            (
                [OptionValue.text(range.lowerBound), OptionValue.text(range.upperBound)],
                [
                    OptionValue.text(range.lowerBound - 0.001), OptionValue.text(range.upperBound + 0.001),
                    ".nan", ".inf", "'0.6'", "some",
                ]
            )
        case .text: (["title", "'3'"], ["3", "''", "true", "[a]"])
        case .name: (["x", "新闻-2"], ["a/b", "'a b'", ".a", "''", "7"])
        case .path: (["/a/b", "a", "/a/$$b"], ["''", "/a/$b", "~/a", "'/a/{label}'", "{}"])
        case .template: (["'/a/{label}'", "'/a/{source}-{date}'"], ["''", "'/a/{b'", "'/a/{lable}'", "3"])
        case .permissions: (["'0600'", "'666'"], ["0600", "'0400'", "'01777'", "'rw'", "'0888'"])
        case .list(let least):
            ((least == 0 ? ["[]"] : []) + ["['*']"], (least > 0 ? ["[]"] : []) + ["a", "[a, a]", "[1]", "[['a']]"])
        case .address:
            (
                ["127.0.0.1:1", "localhost:65535", "'[::1]:80'", "unix:/a"],
                ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "10.0.0.1:80", "unix:a", "'::1:80'", "80"]
            )
        }
    }

    @Test(arguments: TableDocument.options.indices) func formsHold(index: Int) {
        let (option, block, outer) = TableDocument.options[index]
        let isFilter = block.name == "sinks" && option.name == "sources"
        let values = Self.values(option)
        for value in isFilter ? ["[]", "[wire]"] : values.right {
            // A kind brings required options with it, which are tested by the errors' own texts.
            let text = TableDocument.text(option, value, in: block, outer: outer)
            // UTF-16 needs another kind, likewise.
            let found = errors(text).filter { !$0.contains(" lacks ") && !$0.contains("only for 'kind: directory'") }
            #expect(found == [], "\(text)")
        }
        for value in values.wrong {
            let text = TableDocument.text(option, value, in: block, outer: outer)
            let found = errors(text)
            #expect(!found.isEmpty, "\(text)")
            #expect(found.allSatisfy { $0.contains("'\(option.name)'") || $0.contains("{label}") }, "\(found)")
        }
        #expect(!errors(TableDocument.text(option, "", in: block, outer: outer)).isEmpty)
    }

    @Test(arguments: TableDocument.options.indices) func defaultsAreWhatAbsenceMeans(index: Int) throws {
        let (option, block, outer) = TableDocument.options[index]
        guard case .defaults(let value) = option.absence else { return }
        let written = SchemaText.json(value).written()
        let with = TableDocument.text(option, written, in: block, outer: outer)
        let pair = "\(option.name): \(written)"
        var without = with.replacing(", \(pair)", with: "").replacing("\(pair), ", with: "")
        without = without.replacing("{\(pair)}", with: "{}")
        #expect(with != without)
        #expect(try settings(with) == settings(without), "\(with)")
    }

    @Test func examplesAreRight() {
        for (option, block, outer) in TableDocument.options {
            let text = TableDocument.text(option, option.example, in: block, outer: outer)
            #expect(errors(text).filter { !$0.contains(" lacks ") } == [], "\(text)")
        }
    }

    @Test func everyOptionHasAMeaningAndFollowsTheConventions() {
        for (option, _, _) in TableDocument.options {
            #expect(option.meaning.hasSuffix("."), "\(option.name)")
            #expect(option.name.allSatisfy { $0.isLowercase || $0 == "_" }, "\(option.name)")
            if case .count = option.form, let unit = option.unit {
                #expect(option.name.split(separator: "_").last.map(String.init) == unit.rawValue, "\(option.name)")
            }
        }
    }
}
