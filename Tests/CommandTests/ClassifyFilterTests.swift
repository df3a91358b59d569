import Foundation
import TestSupport
import Testing

private func lines(_ count: Int) -> [UInt8] {
    Array((0..<count).map { "第\($0)条：球队在主场赢得了比赛\n" }.joined().utf8)
}

/// The filter from outside, with the bundled models.
@Suite(.offPool, .enabled(if: Program.hasBundledModels, "the bundled models aren't there"), .serialized)
struct ClassifyFilterTests {
    private struct Record: Decodable {
        var id: String
        var source: String
        var text: String
        var label: String
        var confidence: Double
        var by: String
        var student: String
        var teacher: String?
        var studentLabel: String?
        var teacherLabel: String?
    }

    private func decode(_ result: Program.Result) throws -> [Record] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try result.outputLines.map { try decoder.decode(Record.self, from: Data($0.utf8)) }
    }

    @Test func everyLineIsAnsweredInOrder() throws {
        let result = try Program.run(["classify", "--no-teacher"], input: lines(2000))
        let records = try decode(result)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(records.map(\.text) == (0..<2000).map { "第\($0)条：球队在主场赢得了比赛" })
        #expect(records.allSatisfy { $0.by == "student" && $0.teacher == nil && $0.id.count == 16 })
        #expect(Set(records.map(\.id)).count == 2000)
        #expect(try Program.run(["classify", "--no-teacher"], input: lines(2000)).output == result.output)
    }

    @Test func theTeacherAnswersAllWhenAskedAboutAll() throws {
        let records = try decode(try Program.run(["classify", "--defer-below", "1"], input: lines(3)))
        #expect(records.count == 3)
        #expect(records.allSatisfy { $0.by == "teacher" && $0.label == $0.teacherLabel && $0.studentLabel != nil })
        let none = try decode(try Program.run(["classify", "--defer-below", "0"], input: lines(3)))
        #expect(none.allSatisfy { $0.by == "student" && $0.teacher == nil })
    }

    @Test func threadsDoNotChangeAnswers() throws {
        let one = try Program.run(["classify", "--no-teacher", "--threads", "1"], input: lines(3000))
        let four = try Program.run(["classify", "--no-teacher", "--threads", "4"], input: lines(3000))
        #expect(try decode(one).map(\.label) == decode(four).map(\.label))
        #expect(try decode(one).map(\.id) == decode(four).map(\.id))
    }

    @Test func badLinesGiveErrorRecordsAndStrictAStatus() throws {
        let huge = [UInt8](repeating: 0x61, count: 1_048_576)
        let input: [UInt8] =
            Array("新车发布\n\n".utf8) + [0xFF, 0x0A] + [0x61, 0, 0x0A] + huge + Array("\n最后一行".utf8)
        let result = try Program.run(["classify", "--no-teacher"], input: input)
        #expect(result.status == 0)
        #expect(try decode(result).map(\.text) == ["新车发布", "最后一行"])
        #expect(
            result.errors == """
                {"error":"not_utf8","line":3,"source":"stdin","reason":"not UTF-8 at byte 1"}
                {"error":"contains_nul","line":4,"source":"stdin","reason":"contains NUL at byte 2"}
                {"error":"too_long","line":5,"source":"stdin","reason":"1048576 bytes long; the limit is 65536"}

                """)
        let strict = try Program.run(["classify", "--no-teacher", "--strict"], input: input)
        #expect(strict.status == 65 && strict.output == result.output)
    }

    @Test func jsonPassesFieldsThrough() throws {
        let input = Array("{\"t\":\"油价上涨\",\"n\":[1, 2]}\n{\"t\":1}\n[\n".utf8)
        let result = try Program.run(["classify", "--no-teacher", "--input", "jsonl:t"], input: input)
        #expect(result.output.hasSuffix(",\"teacher\":null,\"n\":[1, 2]}\n"))
        #expect(result.errorLines.count == 2)
    }

    @Test func labelsAlone() throws {
        let result = try Program.run(["classify", "--no-teacher", "--format", "label"], input: lines(5))
        #expect(result.outputLines.count == 5 && result.outputLines.allSatisfy { !$0.contains("\t") })
    }

    @Test func aSummaryWhenAskedFor() throws {
        let result = try Program.run(["classify", "--no-teacher", "--summary"], input: lines(5))
        #expect(result.errors.hasPrefix("5 lines in ") && result.errors.contains("5 answered"))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalEndsTheReadingNotTheAnswers(number: Int32) throws {
        let running = try Running(Program.path, ["classify", "--no-teacher"])
        running.send(lines(100))
        running.waitForOutputLines(100)
        running.send(lines(1) + Array("half".utf8))
        running.waitForOutputLines(101)
        running.send(signal: number)
        let result = running.wait()
        // It ends by the signal, as a shell expects of an interrupted program.
        #expect(result.status == number && result.wasKilled && result.outputLines.count == 101)
        let about = "stopped in the middle of a line: 4 bytes without a line end got no answer\n"
        #expect(result.errors.hasSuffix(about))
        // An answer can be read here before the filter has noted that it is written.
        let before = result.errors.dropLast(about.count)
        #expect(before.isEmpty || before.contains(": finishing the 1 line that was read; "))
        running.closeInput()
    }

    @Test func aClosedReaderEndsItQuietly() throws {
        let command = "\"$U\" classify --no-teacher | head -1; echo ${PIPESTATUS[0]}"
        let result = try Program.shell(command, input: lines(50_000))
        #expect(result.outputLines.count == 2 && result.outputLines[1] == "0" && result.errors.isEmpty)
    }

    /// The input stays open and silent, so that nothing is written that could fail; it ends all the same.
    @Test func aClosedReaderEndsItThoughTheInputIsSilent() throws {
        let running = try Running(
            "/bin/bash", ["-c", "\"$U\" classify --no-teacher | head -1"], environment: ["U": Program.path])
        running.send(lines(1))
        let result = running.wait()
        running.closeInput()
        #expect(result.outputLines.count == 1 && result.errors.isEmpty)
    }

    @Test func aFullDiskIsOneClearError() throws {
        let result = try Program.shell("\"$U\" classify --no-teacher > /dev/full", input: lines(1000))
        #expect(result.status == 74)
        #expect(result.errors == "error: can't write to standard output: No space left on device\n")
    }
}
