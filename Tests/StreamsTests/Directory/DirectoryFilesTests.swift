import Diagnostics
import Glibc
import Streams
import Testing

/// `mode: files`.
@Suite struct DirectoryFilesTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(
        _ change: (inout DirectorySource.Settings) -> Void = { _ in }, roomBytes: Int = 4096
    ) throws -> Lane {
        var settings = DirectorySource.Settings(name: "drops", path: directory.path)
        change(&settings)
        return try Lane(settings, roomBytes: roomBytes)
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
}
