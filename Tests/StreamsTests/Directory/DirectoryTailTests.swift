import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// `mode: tail`.
@Suite(.offPool) struct DirectoryTailTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(
        include: [String] = ["*.log"], start: DirectorySource.Settings.Start = .beginning, roomBytes: Int = 4096,
        limits: DirectoryLimits = DirectoryLimits(settleNanoseconds: 0)
    ) throws -> DirectoryLane {
        let settings = DirectorySource.Settings(
            name: "logs", path: directory.path, mode: .tail, include: include, start: start)
        return try DirectoryLane(settings, roomBytes: roomBytes, limits: limits)
    }

    @Test func onlyWholeLinesAreHandedOut() throws {
        let lane = try lane()
        let file = try TestFile(directory.path("a.log"))
        // 一 is three bytes; the second of them is where the write stops.
        try file.write([0xE4, 0xB8])
        #expect(try lane.drain().texts.isEmpty)
        try file.write([0x80])
        try file.write("二\n三")
        #expect(try lane.drain().texts == ["一二"])
        try file.write("\n")
        #expect(try lane.drain().texts == ["一二", "三"])
        #expect(lane.lines.map(\.offset) == [0, 7])
        lane.commit()
        try lane.restart { try file.write("四\n") }
        #expect(try lane.drain().texts == ["四"])
        #expect(lane.lines.map(\.number) == [3])
    }

    @Test func aLongLineComesWhenItsEndComes() throws {
        let lane = try lane(roomBytes: 64)
        let file = try TestFile(directory.path("a.log"))
        let long = String(repeating: "长", count: 1000)
        for piece in 0..<10 {
            try file.write(String(repeating: "长", count: 100))
            try directory.append("b.log", "第\(piece)条\n")
            try lane.drain()
        }
        #expect(lane.texts.count == 10)
        try file.write("\n短\n")
        try lane.drain()
        #expect(Array(lane.texts.suffix(2)) == [long, "短"])
    }

    @Test func aRotatedFileIsReadToItsEnd() throws {
        let lane = try lane(limits: DirectoryLimits())
        var file = try TestFile(directory.path("a.log"))
        try file.write("一\n二\n")
        try lane.drain()
        try file.write("三\n")
        try directory.rename("a.log", "a.log.1")
        try file.write("四\n五")
        let next = try TestFile(directory.path("a.log"))
        try next.write("六\n")
        try lane.drain()
        #expect(lane.texts == ["一", "二", "三", "四", "六"])
        try file.write("五\n七")
        try lane.drain()
        #expect(lane.texts.last == "五五")
        // Closing it is how its writer says that nothing follows.
        file = next
        try lane.drain()
        #expect(lane.texts.last == "七")
        lane.commit()
        #expect(lane.kept.values.map(\.isFinished).sorted { $0 && !$1 } == [true, false])
        try lane.restart()
        #expect(try lane.drain().texts.isEmpty)
    }

    /// Pitfalls row 3.
    @Test func aFileThatWasRotatedWhileNobodyRanIsFinishedFirst() throws {
        let lane = try lane()
        try directory.append("a.log", "一\n二\n")
        try lane.drain()
        lane.commit()
        try lane.restart {
            try directory.append("a.log", "三\n四")
            try directory.rename("a.log", "a.log.1")
            try directory.append("a.log", "五\n")
            directory.age("a.log", seconds: 100)
        }
        try lane.drain()
        #expect(lane.texts == ["三", "四", "五"] || lane.texts == ["三", "五", "四"])
        #expect(lane.opened.first?.path == directory.path("a.log.1"))
        lane.commit()
        try lane.restart()
        #expect(try lane.drain().texts.isEmpty)
    }

    /// Pitfalls row 2.
    @Test func aCopiedAndTruncatedFileBeginsAnew() throws {
        let lane = try lane()
        let file = try TestFile(directory.path("a.log"))
        try file.write("一\n二\n")
        try lane.drain()
        file.truncate()
        try lane.drain()
        try file.write("三\n")
        try lane.drain()
        // Longer than before by the time it is looked at.
        file.truncate()
        try file.write("四\n五\n六\n")
        try lane.drain()
        #expect(lane.texts == ["一", "二", "三", "四", "五", "六"])
        #expect(lane.lines.map(\.file.generation) == [0, 0, 1, 2, 2, 2])
        lane.commit()
        #expect(lane.kept.keys.map(\.generation) == [2])
        try lane.restart {
            file.truncate()
            try file.write("七七七七七七七七\n")
        }
        #expect(try lane.drain().texts == ["七七七七七七七七"])
        lane.commit()
        #expect(lane.kept.keys.map(\.generation) == [3])
    }

    /// Pitfalls row 2.
    @Test func aCheckpointOfTruncatedContentFitsNoOther() throws {
        let lane = try lane()
        let file = try TestFile(directory.path("a.log"))
        try file.write("一\n二\n三\n")
        try lane.drain()
        file.truncate()
        try file.write("四\n五\n六\n")
        let origin = try #require(lane.opened.first)
        // The committer is late: the second line is durable when the file holds other lines already.
        try lane.keep(SourcePosition(origin: origin, offset: 8, line: 3))
        try lane.restart()
        #expect(try lane.drain().texts == ["四", "五", "六"])
    }

    /// Pitfalls row 14.
    @Test func aDeletedFileIsReadToItsEndAndRecreated() throws {
        let lane = try lane()
        let file = try TestFile(directory.path("a.log"))
        try file.write("一\n")
        try lane.drain()
        try file.write("二\n三")
        try directory.delete("a.log")
        try directory.append("a.log", "四\n")
        try lane.drain()
        #expect(lane.texts.sorted() == ["一", "三", "二", "四"])
        lane.commit()
        #expect(directory.openDescriptors == 2 && lane.kept.count == 1)
    }

    @Test func atTheVeryFirstStartReadingCanBeginAtTheEnd() throws {
        try directory.append("a.log", "一\n二\n三")
        let lane = try lane(start: .end)
        try lane.drain()
        lane.commit()
        #expect(lane.texts.isEmpty && lane.kept.values.map(\.offset) == [8])
        try directory.append("a.log", "四\n")
        try directory.append("b.log", "五\n")
        try lane.drain()
        #expect(lane.texts == ["三四", "五"] && lane.lines.map(\.number) == [3, 1])
        lane.commit()
        try lane.restart { try directory.append("c.log", "六\n") }
        #expect(try lane.drain().texts == ["六"])
    }

    @Test func aFirstStartWithoutFilesIsRemembered() throws {
        let lane = try lane(start: .end)
        try lane.drain()
        lane.commit()
        #expect(lane.kept.count == 1)
        try lane.restart { try directory.append("a.log", "一\n") }
        #expect(try lane.drain().texts == ["一"])
        lane.commit()
        try lane.restart()
        #expect(try lane.drain().opened.isEmpty && lane.kept.count == 2)
    }

    @Test func anUnfinishedLineMayBeTakenBack() throws {
        let lane = try lane()
        let file = try TestFile(directory.path("a.log"))
        try file.write("一\n二二二二二")
        try lane.drain()
        ftruncate(file.descriptor, 4)
        try file.write("三\n")
        try lane.drain()
        #expect(lane.texts == ["一", "三"] && lane.lines.map(\.file.generation) == [0, 0])
    }

    @Test func growingFilesTakeTurns() throws {
        let lane = try lane(roomBytes: 256)
        let block = String(repeating: "一行\n", count: 100)
        for file in 0..<200 { try directory.append("\(file).log", block) }
        // After so many steps that each can have been served twice, each has been served.
        for _ in 0..<800 { _ = try lane.step() }
        #expect(Set(lane.lines.map(\.file)).count == 200)
        try lane.drain()
        #expect(lane.lines.count == 200 * 100)
    }

    @Test func packedFilesArePassedOver() throws {
        let lane = try lane(include: [])
        try directory.append("a.log.1.gz", try Archives.gzip(Array("一\n".utf8)))
        try directory.append("a.log.2.zst", try Archives.zstd(Array("一\n".utf8)))
        try directory.append("a.log", "二\n")
        #expect(try lane.drain().texts == ["二"])
        #expect(lane.reported.count == 1)
        lane.commit()
        try directory.delete("a.log.1.gz")
        try lane.drain()
        #expect(lane.kept.count == 1)
    }
}
