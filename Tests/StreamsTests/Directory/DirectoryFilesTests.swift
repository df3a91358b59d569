import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// `mode: files`.
@Suite(.offPool) struct DirectoryFilesTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(
        _ change: (inout DirectorySource.Settings) -> Void = { _ in }, roomBytes: Int = 4096
    ) throws -> DirectoryLane {
        var settings = DirectorySource.Settings(name: "drops", path: directory.path)
        change(&settings)
        return try DirectoryLane(settings, roomBytes: roomBytes)
    }

    @Test func filesAreReadByTimeThenName() throws {
        for (name, age) in [("b", 50), ("c", 60), ("a", 50), ("d", 40)] {
            try directory.append(name, "\(name) 的标题\n")
            directory.age(name, seconds: age)
        }
        let lane = try lane().drain()
        #expect(lane.texts == ["c 的标题", "a 的标题", "b 的标题", "d 的标题"])
        #expect(lane.opened.map(\.path) == ["c", "a", "b", "d"].map(directory.path))
    }

    @Test func eachFileIsReadOnce() throws {
        let lane = try lane()
        try directory.append("a", "一\n二\n三")
        try lane.drain()
        #expect(lane.texts == ["一", "二", "三"])
        #expect(lane.lines.map(\.number) == [1, 2, 3])
        lane.commit()
        try lane.restart()
        try lane.drain()
        #expect(lane.texts.isEmpty && lane.opened.isEmpty)
    }

    @Test func appendedLinesAreReadFromTheOffset() throws {
        let lane = try lane()
        try directory.append("a", "一\n二")
        try lane.drain()
        try directory.append("a", "三\n")
        try lane.drain()
        lane.commit()
        #expect(lane.texts == ["一", "二", "三"])
        #expect(lane.lines.map(\.number) == [1, 2, 3])
        try lane.restart { try directory.append("a", "四\n") }
        try lane.drain()
        #expect(lane.texts == ["四"])
        #expect(lane.lines.map(\.number) == [4])
    }

    /// Pitfalls row 1.
    @Test func whatWasNotAnsweredIsReadAgain() throws {
        let lane = try lane()
        try directory.append("a", "一\n二\n三\n四")
        try lane.drain()
        let origin = try #require(lane.opened.first)
        try lane.keep(SourcePosition(origin: origin, offset: 4, line: 2))
        try lane.restart()
        try lane.drain()
        #expect(lane.texts == ["二", "三", "四"])
        #expect(lane.lines.map(\.number) == [2, 3, 4])
    }

    /// Pitfalls row 1.
    @Test func linesPassedOverAreReadAgainAndOnlyThey() throws {
        let lane = try lane()
        try directory.append("a", "一\n二\n三\n四\n五\n六")
        try lane.drain()
        let origin = try #require(lane.opened.first)
        try lane.keep(SourcePosition(origin: origin, offset: 16, line: 5, unanswered: [4, 12]))
        try lane.restart()
        try lane.drain()
        #expect(lane.texts == ["二", "四", "五", "六"])
        #expect(lane.lines.map(\.number) == [2, 4, 5, 6])
        let again = try #require(lane.opened.first)
        try lane.keep(SourcePosition(origin: again, offset: 23, line: 7, isFinished: true, unanswered: [20]))
        try lane.restart()
        try lane.drain()
        #expect(lane.texts == ["六"])
        #expect(lane.lines.map(\.number) == [6])
    }

    @Test func emptyFilesAreFinishedToo() throws {
        let lane = try lane()
        try directory.append("a", "")
        try directory.append("b", "")
        try lane.drain()
        #expect(lane.lines.isEmpty && lane.opened.count == 2)
        #expect(lane.positions.allSatisfy { $0.isFinished })
        lane.commit()
        #expect(lane.kept.count == 2 && lane.kept.values.allSatisfy { $0.isFinished && $0.offset == 0 })
    }

    /// Pitfalls row 4.
    @Test func filesThatBeginAlikeAreDifferentFiles() throws {
        let lane = try lane()
        let header = "标题\t类别\n"
        try directory.append("empty", "")
        for name in ["a", "b"] { try directory.append(name, header) }
        try directory.append("c", header + "一\t二\n")
        try lane.drain()
        lane.commit()
        #expect(lane.opened.count == 4 && lane.texts.count == 4)
        try lane.restart {
            // The same inode may be given to a file that begins as the old one did.
            try directory.delete("b")
            try directory.append("b2", header + "三\t四\n")
            try directory.append("empty", header)
        }
        try lane.drain()
        #expect(lane.texts.sorted() == ["三\t四", "标题\t类别", "标题\t类别"])
    }

    /// Pitfalls row 2.
    @Test func anOverwrittenFileIsANewFile() throws {
        let lane = try lane()
        try directory.append("a", "一\n二\n")
        try lane.drain()
        try directory.overwrite("a", "三\n")
        try lane.drain()
        lane.commit()
        #expect(lane.texts == ["一", "二", "三"])
        let first = try #require(lane.lines.first?.file)
        let last = try #require(lane.lines.last)
        #expect(last.file.inode == first.inode && last.file.generation == first.generation + 1 && last.number == 1)
        #expect(lane.kept.keys.map(\.generation) == [1])
        try lane.restart { try directory.overwrite("a", "四四四四四四\n") }
        try lane.drain()
        #expect(lane.texts == ["四四四四四四"] && lane.lines.first?.file.generation == 2)
    }

    /// Pitfalls row 7.
    @Test func unfinishedNamesAreIgnoredUntilTheyAreRenamed() throws {
        let lane = try lane { $0.exclude = ["*.csv"] }
        for name in [".a.txt", "b.tmp", "c~", ".d.swp", "e.part", "f.csv"] { try directory.append(name, "\(name)\n") }
        #expect(try lane.drain().texts.isEmpty)
        try directory.rename(".a.txt", "a.txt")
        try directory.rename("b.tmp", "b.txt")
        #expect(try lane.drain().texts == [".a.txt", "b.tmp"])
    }

    /// Pitfalls row 7.
    @Test func aFileIsReadWhenItsWriterClosesIt() throws {
        let lane = try lane()
        do {
            let file = try TestFile(directory.path("a"))
            try file.write("一\n二")
            #expect(try lane.drain().texts.isEmpty)
        }
        #expect(try lane.drain().texts == ["一", "二"])
    }

    @Test func aFileThatIsBeingWrittenAtTheStartWaitsForItsLastLine() throws {
        let file = try TestFile(directory.path("a"))
        try file.write("一\n二")
        var settings = DirectorySource.Settings(name: "drops", path: directory.path)
        settings.mode = .files
        let lane = try DirectoryLane(settings, limits: DirectoryLimits())
        #expect(try lane.drain().texts == ["一"])
        try withExtendedLifetime(file) { try file.write("三\n四") }
        try directory.append("a", "五")
        #expect(try lane.drain().texts == ["一", "二三", "四五"])
    }

    @Test func aFileThatIsBeingAppendedToAtARestartWaitsForItsLastLine() throws {
        let lane = try DirectoryLane(
            DirectorySource.Settings(name: "drops", path: directory.path), limits: DirectoryLimits())
        let file = try TestFile(directory.path("a"))
        try directory.append("a", "一\n")
        try lane.drain()
        lane.commit()
        try lane.restart { try file.write("二\n三") }
        #expect(try lane.drain().texts == ["二"])
        try withExtendedLifetime(file) { try file.write("四\n") }
        try directory.append("a", "五\n")
        #expect(try lane.drain().texts == ["二", "三四", "五"])
    }

    @Test func directoriesAreReadIfAskedFor() throws {
        try directory.makeDirectory("x")
        try directory.append("x/a", "一\n")
        let flat = try lane()
        #expect(try flat.drain().texts.isEmpty)
        let lane = try lane { $0.recursive = true }
        #expect(try lane.drain().texts == ["一"])
        try directory.makeDirectory("x/y")
        try directory.makeDirectory("x/y/z")
        try directory.append("x/y/z/b", "二\n")
        try directory.makeDirectory(".hidden")
        try directory.append(".hidden/c", "三\n")
        #expect(try lane.drain().texts == ["一", "二"])
        try directory.append("x/y/z/d", "四\n")
        #expect(try lane.drain().texts == ["一", "二", "四"])
        try directory.rename("x/y", "x/w")
        try directory.append("x/w/z/e", "五\n")
        #expect(try lane.drain().texts == ["一", "二", "四", "五"])
    }

    @Test func pipesArePassedOver() throws {
        try directory.append(".target", "一\n")
        mkfifo(directory.path("pipe"), 0o600)
        let lane = try lane()
        #expect(try lane.drain().opened.isEmpty)
        // A second name of a file that was whole before is how some tools publish.
        link(directory.path(".target"), directory.path("a"))
        #expect(try lane.drain().texts == ["一"])
    }

    @Test func aFileLargerThanTheRoomComesInBlocks() throws {
        let lane = try lane(roomBytes: 64)
        let lines = (0..<500).map { "第\($0)条新闻" }
        try directory.append("a", lines.joined(separator: "\n"))
        #expect(try lane.drain().texts == lines)
    }
}
