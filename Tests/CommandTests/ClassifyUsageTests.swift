import Foundation
import TestSupport
import Testing

/// What `classify` refuses before the first line; none of it needs a model.
@Suite(.offPool) struct ClassifyUsageTests {
    @Test(arguments: [
        ["--format", "xml"], ["--input", "csv"], ["--input", "tsv:0"], ["--input", "jsonl:"], ["--policy", "budget"],
        ["--threads", "0"], ["--threads", "many"], ["--defer-below", "1.5"], ["--defer-below", "nan"],
        ["--max-line-bytes", "0"], ["--max-line-bytes", "1048576"], ["--teacher", "/x", "--no-teacher"], ["--what"],
        ["extra"],
    ])
    func wrongOptions(arguments: [String]) throws {
        let result = try Program.run(["classify"] + arguments)
        #expect(result.status == 64 && !result.wasKilled)
        #expect(result.output.isEmpty && !result.errors.isEmpty)
    }

    @Test func aMissingModelIsNamed() throws {
        let result = try Program.run(["classify", "--student", "/nonexistent/model"])
        #expect(result.status == 66)
        #expect(result.errorLines.count == 1 && result.errors.hasPrefix("error: /nonexistent/model"))
    }

    @Test func closedDescriptorsAreRefused() throws {
        #expect(try Program.shell("\"$U\" classify --student /nonexistent <&-").status == 66)
        let output = try Program.shell("\"$U\" classify --student /nonexistent >&-")
        #expect(output.status == 74 && output.errors == "error: standard output is closed\n")
        #expect(try Program.shell("\"$U\" classify --student /nonexistent 2>&-").status == 66)
    }
}
