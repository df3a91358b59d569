import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

@Suite struct SinkRecoveryTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()

    init() throws { folder = try TemporaryFolder() }

    private func row(_ name: String, length: UInt64) throws -> SinkLength {
        var status = stat()
        try #require(stat(folder.file(name), &status) == 0)
        return SinkLength(
            sink: "answers", path: folder.file(name), device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            length: length)
    }

    private func move(_ name: String, _ other: String) {
        #expect(rename(folder.file(name), folder.file(other)) == 0)
    }

    private func recover(_ rows: [SinkLength]) -> [SinkLength] { FileSink.recover(rows, report: notes.report) }

    @Test func cutsBackWhatWasNotCommitted() throws {
        try folder.write("一\n二\n三", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        #expect(recover([row]) == [row])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
        #expect(notes.reported.first?.message.contains("7 bytes") == true)
        #expect(recover([row]) == [row])
        #expect(notes.reported.count == 1)
    }

    @Test func aFileThatWasRegisteredOnlyIsCutToWhatWasThere() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 0)
        #expect(recover([row]) == [row])
        #expect(folder.bytes(of: "answers.jsonl") == [])
    }

    @Test func aFileThatWasNotRegisteredIsLeftAlone() throws {
        try folder.write("一\n", to: "answers.jsonl")
        #expect(recover([]) == [])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
    }

    @Test(arguments: ["answers.jsonl.1", "answers-20261125.jsonl", "old.jsonl"])
    func aFileRotatedWhileDownIsFound(_ rotated: String) throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        move("answers.jsonl", rotated)
        try folder.write("别\n的\n", to: "answers.jsonl")
        let rows = recover([row])
        #expect(rows.map(\.path) == [folder.file(rotated)])
        #expect(rows.map(\.length) == [4])
        #expect(folder.bytes(of: rotated) == Array("一\n".utf8))
        #expect(folder.bytes(of: "answers.jsonl") == Array("别\n的\n".utf8))
    }

    @Test func anotherFileInTheSameInodeIsNotCut() throws {
        // What could be there when an inode is used again: no newline where the committed bytes end, shorter, or packed.
        for (name, text, length) in [("a", "一二三\n", 4), ("b", "一\n", 9), ("c.gz", "一\n二\n", 4), ("d", "二\n", 0)] {
            try folder.write(text, to: name)
            var row = try row(name, length: UInt64(length))
            row.path = folder.file("answers.jsonl")
            #expect(recover([row]) == [])
            #expect(folder.bytes(of: name) == Array(text.utf8))
        }
        #expect(notes.reported.count == 4)
        #expect(notes.reported.allSatisfy { $0.message.contains("nothing needs to be done") })
    }

    @Test func anotherInodeAtThePathIsNotCut() throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        var row = try row("answers.jsonl", length: 4)
        row.inode += 1_000_000
        #expect(recover([row]) == [])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    /// Device numbers may be given out in another order when the machine starts again.
    @Test func anotherDeviceNumberIsNoOtherFile() throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        var old = try row("answers.jsonl", length: 4)
        let new = old
        old.device += 1
        #expect(recover([old]) == [new])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
    }

    @Test func aShorterFileKeepsItsLength() throws {
        try folder.write("一\n", to: "answers.jsonl")
        var row = try row("answers.jsonl", length: 100)
        let rows = recover([row])
        row.length = 4
        #expect(rows == [row])
        #expect(notes.reported.first?.message.contains("truncated") == true)
    }

    @Test func aFileThatIsGoneIsForgotten() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        #expect(unlink(folder.file("answers.jsonl")) == 0)
        #expect(recover([row]) == [])
        var elsewhere = row
        elsewhere.path = folder.file("missing/answers.jsonl")
        #expect(recover([elsewhere]) == [])
        #expect(notes.reported.count == 2)
    }

    @Test func whatCannotBeLookedAtIsKept() throws {
        try folder.write("一\n二\n", to: "good.jsonl")
        let good = try row("good.jsonl", length: 4)
        #expect(symlink("loop", folder.file("loop")) == 0)
        var bad = good
        bad.path = folder.file("loop/answers.jsonl")
        bad.inode += 1
        #expect(recover([bad, good]) == [bad, good])
        #expect(notes.reported.count == 2)
        #expect(folder.bytes(of: "good.jsonl") == Array("一\n".utf8))
    }

    @Test func theLongerOfTwoLengthsIsTheNewer() throws {
        try folder.write("一\n二\n三\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 8)
        var older = row
        older.path = folder.file("older.jsonl")
        older.length = 4
        #expect(recover([older, row]) == [row])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    @Test func twoRowsOfOneLengthAreOneFile() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        #expect(recover([row, row]) == [row])
    }
}
