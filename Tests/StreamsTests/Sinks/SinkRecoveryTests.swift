import Bytes
import CFiles
import Diagnostics
import Foundation
import Glibc
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct SinkRecoveryTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()

    init() throws { folder = try TemporaryFolder() }

    /// The row that the last commit keeps of a file.
    private func row(_ name: String, length: UInt64, born: Int64? = nil, mark: UInt64? = nil) throws -> SinkLength {
        var status = understudy_status()
        try #require(understudy_status_of_path(folder.file(name), &status) == 0)
        let bytes = Array((folder.bytes(of: name) ?? []).prefix(Int(length)))
        var known = FileMark()
        bytes.withUnsafeBytes { known.append($0) }
        return SinkLength(
            sink: "answers", path: folder.file(name), device: status.device, inode: status.inode, length: length,
            born: born ?? status.born, mark: mark ?? known.hash(born: 0))
    }

    /// What `recover` gives back for a row that it has dealt with.
    private func settled(_ row: SinkLength) throws -> SinkLength {
        var row = try self.row(String(row.path.dropFirst(folder.path.utf8.count + 1)), length: row.length)
        row.isSettled = true
        return row
    }

    private func move(_ name: String, _ other: String) {
        #expect(rename(folder.file(name), folder.file(other)) == 0)
    }

    /// A journal in which the bytes of `row`'s file from its committed length up to `end` are the daemon's, as one append
    /// or as several that end there.
    private func keeping(_ row: SinkLength? = nil, ends: [Int] = []) throws -> SinkKeeping {
        let state = folder.file("state")
        mkdir(state, 0o700)
        if let row {
            let journal = try AppendJournal(directory: state)
            let bytes = folder.bytes(of: String(row.path.dropFirst(folder.path.utf8.count + 1))) ?? []
            var start = Int(row.length)
            for end in ends {
                let hash = bytes[start..<end].withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
                journal.note(
                    device: row.device, inode: row.inode, start: UInt64(start), count: end - start, hash: hash)
                start = end
            }
        }
        return SinkKeeping(journal: try AppendJournal(directory: state), aside: SetAside(stateDirectory: state))
    }

    private func recover(
        _ rows: [SinkLength], _ keeping: SinkKeeping? = nil, form: SinkForm = .json
    ) throws -> [SinkLength] {
        FileSink.recover(rows, keeping: try keeping ?? self.keeping(), forms: { _ in form }, report: notes.report)
    }

    /// The contents of the files under `set-aside`.
    private var setAside: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.file("state/set-aside"))) ?? []
        return names.sorted().map { String(decoding: folder.bytes(of: "state/set-aside/\($0)") ?? [], as: UTF8.self) }
    }

    @Test func cutsBackWhatWasNotCommitted() throws {
        try folder.write("一\n二\n三\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        #expect(try recover([row], keeping(row, ends: [8, 12])) == [try settled(row)])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
        #expect(notes.reported.first?.message.contains("8 that the last run hadn't committed were cut off") == true)
        #expect(try recover([row]) == [try settled(row)])
        #expect(notes.reported.count == 1 && setAside.isEmpty)
    }

    // MARK: Bytes that aren't proven to be the daemon's

    /// After a clean stop nothing behind the committed length is the daemon's, whatever it looks like.
    @Test func linesAppendedAfterACleanStopAreKept() throws {
        let text = "{\"id\":\"1\"}\n{\"id\":\"2\"}\nby hand\n"
        try folder.write(text, to: "answers.jsonl")
        var row = try row("answers.jsonl", length: 11)
        row.isSettled = true
        let rows = try recover([row])
        #expect(rows.map(\.length) == [UInt64(text.utf8.count)])
        #expect(folder.bytes(of: "answers.jsonl") == Array(text.utf8))
        #expect(notes.count("they stay") == 1 && setAside.isEmpty)
        // The next start knows the file by all of it.
        #expect(try recover(rows) == rows && notes.reported.count == 1)
    }

    /// After a kill: the daemon's own records go, lines of other programs stay, before and behind them.
    @Test func linesOfOthersAreKeptAfterAKill() throws {
        let committed = "{\"id\":\"1\"}\n"
        let own = "{\"id\":\"2\"}\n"
        try folder.write(committed + own + own, to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 11)
        let keeping = try keeping(row, ends: [22, 33])
        try folder.write(committed + own + own + "by hand\n\n# more\n", to: "answers.jsonl")
        let known = try self.row("answers.jsonl", length: 11)
        #expect(try recover([known], keeping).map(\.length) == [11 + 16])
        #expect(folder.bytes(of: "answers.jsonl") == Array((committed + "by hand\n\n# more\n").utf8))
        #expect(notes.count("22 that the last run hadn't committed were cut off") == 1)
        #expect(notes.count("16 belong to another program and stay") == 1)
        #expect(setAside.isEmpty)
    }

    /// Without proof, what may be an answer is neither destroyed nor left to stand there twice.
    @Test(arguments: [
        (SinkForm.json, "{\"id\":\"2\"}\n", ""), (.json, "{\"id\":\"2", ""), (.json, "noted\n", "noted\n"),
        (.json, "noted\n{\"id\":\"2\"}\nagain\n", "noted\nagain\n"), (.json, "\0\0\0\0rest of a record\"}\n", ""),
        (.deadLetters, "{\"error\":\"x\"}\nnoted\n", "noted\n"), (.tsv, "列车\tsports\t0.9\nnoted\n", "noted\n"),
        (.any, "sports\n", ""),
    ])
    func whatMayBeAnAnswerIsSetAside(_ form: SinkForm, _ tail: String, _ kept: String) throws {
        try folder.write("一\n" + tail, to: "answers")
        let row = try row("answers", length: 4)
        #expect(try recover([row], form: form).map(\.length) == [4 + UInt64(kept.utf8.count)])
        #expect(folder.bytes(of: "answers") == Array(("一\n" + kept).utf8))
        let moved = setAside.joined()
        #expect(moved.utf8.count + kept.utf8.count == tail.utf8.count)
        #expect(moved.isEmpty == (tail == kept))
        if !moved.isEmpty { #expect(notes.count("set-aside/answers-") == 1) }
    }

    /// An entry proves nothing where the file has other bytes.
    @Test func whatHasChangedSinceItWasNotedIsNotCut() throws {
        try folder.write("一\n{\"id\":\"2\"}\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        let keeping = try keeping(row, ends: [15])
        try folder.write("一\nno answer\n", to: "answers.jsonl")
        let known = try self.row("answers.jsonl", length: 4)
        #expect(try recover([known], keeping).map(\.length) == [14])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\nno answer\n".utf8))
    }

    /// Without a place to set aside, nothing is touched, and that is said.
    @Test func whatCannotBeSetAsideStays() throws {
        try folder.write("一\n{\"id\":\"2\"}\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        try folder.write([], to: "blocked")
        let keeping = SinkKeeping(aside: SetAside(stateDirectory: folder.file("blocked")))
        #expect(try recover([row], keeping) == [row])
        #expect(folder.bytes(of: "answers.jsonl")?.count == 15)
        #expect(notes.count("can't be set aside") == 1)
    }

    // MARK: Another file

    /// The file was removed and another put in its place, which got its inode.
    @Test func anotherFileWithTheSameInodeIsUntouched() throws {
        let foreign = String(repeating: "{\"id\":\"foreign\"}\n", count: 200)
        try folder.write(foreign, to: "answers.jsonl")
        // Other content before the committed length; and nothing committed yet, so that the birth time alone tells.
        for row in [
            try row("answers.jsonl", length: 230, mark: 12345), try row("answers.jsonl", length: 0, born: 1),
        ] {
            #expect(try recover([row]) == [])
            #expect(folder.bytes(of: "answers.jsonl") == Array(foreign.utf8))
        }
        #expect(notes.count("replaced by another, which is left unchanged") == 2 && setAside.isEmpty)
    }

    /// A file that was restored or copied, perhaps to another machine, has another inode and birth time, and the content.
    @Test func aCopyOfTheFileIsKnownByItsContent() throws {
        try folder.write("一\n二\n三\n", to: "answers.jsonl")
        let old = try row("answers.jsonl", length: 8)
        let keeping = try keeping(old, ends: [12])
        move("answers.jsonl", "backup")
        try folder.write("一\n二\n三\n", to: "answers.jsonl")
        #expect(unlink(folder.file("backup")) == 0)
        let rows = try recover([old], keeping)
        #expect(rows == [try settled(try row("answers.jsonl", length: 8))])
        #expect(rows.first?.inode != old.inode)
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    /// A state of release 0.5 has no marks: the file is known by its inode, and nothing is destroyed.
    @Test func aRowWithoutAMarkIsTakenUpOnce() throws {
        try folder.write("一\n{\"id\":\"2\"}\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4, born: 0, mark: 0)
        let rows = try recover([row])
        #expect(rows == [try settled(row)])
        #expect(rows.first?.mark != 0)
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
        #expect(setAside == ["{\"id\":\"2\"}\n"])
    }

    @Test func aFileThatAnotherDaemonHasLockedIsLeftAlone() throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        let other = Glibc.open(folder.file("answers.jsonl"), O_WRONLY)
        try #require(other >= 0 && flock(other, LOCK_EX) == 0)
        defer { close(other) }
        #expect(try recover([row], keeping(row, ends: [8])) == [row])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    // MARK: Torn records

    @Test func aFileThatWasCutInTheMiddleOfARecord() throws {
        try folder.write("一\n{\"id\":\"2", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 100)
        let rows = try recover([row])
        #expect(rows == [try settled(try self.row("answers.jsonl", length: 4))])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
        #expect(setAside == ["{\"id\":\"2"])
        #expect(notes.count("its 8 bytes were moved to") == 1)
    }

    @Test func aFileThatWasRegisteredOnlyKeepsWhatWasThere() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 0)
        #expect(try recover([row], keeping(row, ends: [4])) == [try settled(row)])
        #expect(folder.bytes(of: "answers.jsonl") == [])
    }

    @Test func aFileThatWasNotRegisteredIsLeftAlone() throws {
        try folder.write("一\n", to: "answers.jsonl")
        #expect(try recover([]) == [])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
    }

    @Test(arguments: ["answers.jsonl.1", "answers-20261125.jsonl", "old.jsonl"])
    func aFileRotatedWhileDownIsFound(_ rotated: String) throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        let keeping = try keeping(row, ends: [8])
        move("answers.jsonl", rotated)
        try folder.write("别\n的\n", to: "answers.jsonl")
        let rows = try recover([row], keeping)
        #expect(rows.map(\.path) == [folder.file(rotated)])
        #expect(rows.map(\.length) == [4])
        #expect(folder.bytes(of: rotated) == Array("一\n".utf8))
        #expect(folder.bytes(of: "answers.jsonl") == Array("别\n的\n".utf8))
    }

    @Test func anotherFileInTheSameInodeIsNotCut() throws {
        // What could be there when an inode is used again: no newline where the committed bytes end, shorter, or packed.
        for (name, text, length) in [("a", "一二三\n", 4), ("b", "一\n", 9), ("c.gz", "一\n二\n", 4), ("d", "二\n", 0)] {
            try folder.write(text, to: name)
            var row = try row(name, length: UInt64(length), mark: 0)
            row.path = folder.file("answers.jsonl")
            #expect(try recover([row]) == [])
            #expect(folder.bytes(of: name) == Array(text.utf8))
        }
        #expect(notes.reported.count == 4)
        #expect(notes.reported.allSatisfy { $0.message.contains("no action is needed") })
    }

    @Test func anotherInodeAtThePathIsNotCut() throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        var row = try row("answers.jsonl", length: 4, mark: 7)
        row.inode += 1_000_000
        #expect(try recover([row]) == [])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    /// Device numbers may be given out in another order when the machine starts again.
    @Test func anotherDeviceNumberIsNoOtherFile() throws {
        try folder.write("一\n二\n", to: "answers.jsonl")
        var old = try row("answers.jsonl", length: 4)
        let new = old
        old.device += 1
        #expect(try recover([old], keeping(old, ends: [8])) == [try settled(new)])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n".utf8))
    }

    @Test func aShorterFileKeepsItsLength() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let rows = try recover([try row("answers.jsonl", length: 100)])
        #expect(rows == [try settled(try row("answers.jsonl", length: 4))])
        #expect(notes.reported.first?.message.contains("truncated") == true)
    }

    @Test func aFileThatIsGoneIsForgotten() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        #expect(unlink(folder.file("answers.jsonl")) == 0)
        #expect(try recover([row]) == [])
        var elsewhere = row
        elsewhere.path = folder.file("missing/answers.jsonl")
        #expect(try recover([elsewhere]) == [])
        #expect(notes.reported.count == 2)
    }

    @Test func whatCannotBeLookedAtIsKept() throws {
        try folder.write("一\n二\n", to: "good.jsonl")
        let good = try row("good.jsonl", length: 4)
        #expect(symlink("loop", folder.file("loop")) == 0)
        var bad = good
        bad.path = folder.file("loop/answers.jsonl")
        bad.inode += 1
        #expect(try recover([bad, good], keeping(good, ends: [8])) == [bad, try settled(good)])
        #expect(notes.reported.count == 2)
        #expect(folder.bytes(of: "good.jsonl") == Array("一\n".utf8))
    }

    @Test func theLongerOfTwoLengthsIsTheNewer() throws {
        try folder.write("一\n二\n三\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 8)
        var older = row
        older.path = folder.file("older.jsonl")
        older.length = 4
        #expect(try recover([older, row], keeping(row, ends: [12])) == [try settled(row)])
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    @Test func twoRowsOfOneLengthAreOneFile() throws {
        try folder.write("一\n", to: "answers.jsonl")
        let row = try row("answers.jsonl", length: 4)
        #expect(try recover([row, row]) == [try settled(row)])
    }
}
