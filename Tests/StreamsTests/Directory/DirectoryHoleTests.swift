import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// Files in which NUL bytes come before lines, as a truncation leaves them that the writer doesn't notice.
@Suite struct DirectoryHoleTests {
    typealias Mode = DirectorySource.Settings.Mode
    static let modes: [Mode] = [.files, .tail]

    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(
        _ mode: Mode, roomBytes: Int = 4096, calls: DirectoryCalls = DirectoryCalls()
    ) throws -> DirectoryLane {
        let settings = DirectorySource.Settings(name: "drops", path: directory.path, mode: mode)
        return try DirectoryLane(settings, roomBytes: roomBytes, calls: calls)
    }

    private func hole(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    @Test func aWriterThatGoesOnAtItsOldPlaceAfterATruncation() throws {
        let descriptor = open(directory.path("a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let lane = try lane(.tail)
        func put(_ text: String) throws {
            let bytes = Array(text.utf8)
            try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        }
        try put("一条新闻\n二条新闻\n")
        #expect(try lane.drain().texts == ["一条新闻", "二条新闻"])
        ftruncate(descriptor, 0)
        try put("三条新闻\n")
        #expect(try lane.drain().texts.last == "三条新闻")
        try put("四条新闻\n")
        #expect(try lane.drain().texts == ["一条新闻", "二条新闻", "三条新闻", "四条新闻"])
        #expect(lane.lines.last?.number == 2 && lane.reported.count == 1)
        lane.commit()
        try lane.restart { try put("五条新闻\n") }
        #expect(try lane.drain().texts == ["五条新闻"])
    }

    /// Holes of every size around those of a block, at the beginning and between lines, against a model.
    @Test(arguments: modes, 0..<60) func holesOfAnySizeArePassedOver(_ mode: Mode, _ seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let roomBytes = [16, 64, 1000].randomElement(using: &random) ?? 16
        var bytes: [UInt8] = []
        var expected: [DirectoryLane.Line] = []
        let file = FileIdentity(device: 0, inode: 0)
        for number in 1...12 {
            if Int.random(in: 0..<3, using: &random) == 0 {
                bytes += hole(Int.random(in: 4...(3 * roomBytes), using: &random))
            }
            var text = "第\(number)条" + String(repeating: "新", count: Int.random(in: 0...30, using: &random))
            // Within a line they are left as they are, and so are a few at its start.
            if Int.random(in: 0..<4, using: &random) == 0 { text += "\0\0\0\0\0x" }
            expected.append(
                DirectoryLane.Line(file: file, offset: UInt64(bytes.count), number: UInt64(number), text: text))
            bytes += Array((text + "\n").utf8)
        }
        try directory.append("a", bytes)
        let lane = try lane(mode, roomBytes: roomBytes)
        try lane.drain()
        #expect(lane.texts == expected.map(\.text))
        #expect(lane.lines.map(\.offset) == expected.map(\.offset))
        #expect(lane.lines.map(\.number) == expected.map(\.number))
        #expect(lane.reported.count <= 1)
        let count = Int.random(in: 0...lane.trail.count, using: &random)
        lane.commit(upTo: count)
        let durable = lane.durable.count
        try lane.restart()
        try lane.drain()
        #expect(lane.texts == expected[durable...].map(\.text))
    }

    /// Gigabytes that were never written aren't read.
    @Test(arguments: modes) func aSparseFileIsReadWhereItHasData(_ mode: Mode) throws {
        let reads = Monitor(0)
        var calls = DirectoryCalls()
        let read = calls.read
        calls.read = { descriptor, room, offset in
            reads.withLock { $0 += 1 }
            return read(descriptor, room, offset)
        }
        let size: UInt64 = 5 << 30
        let descriptor = open(directory.path("a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        try #require(descriptor >= 0)
        try #require(ftruncate(descriptor, off_t(size)) == 0)
        let text = Array("末条新闻\n".utf8)
        try #require(pwrite(descriptor, text, text.count, off_t(size)) == text.count)
        close(descriptor)
        let lane = try lane(mode, roomBytes: 65_536, calls: calls)
        #expect(try lane.drain().texts == ["末条新闻"])
        #expect(lane.lines.map(\.offset) == [size] && lane.lines.map(\.number) == [1])
        #expect(reads.withLock { $0 } < 1000)
        lane.commit()
        try lane.restart()
        #expect(try lane.drain().texts == [])
    }

    /// NULs at the end of a growing file may be written over: they aren't passed over before a line follows.
    @Test func aHoleAtTheEndWaitsForWhatFollows() throws {
        let lane = try lane(.tail)
        try directory.append("a", Array("一\n".utf8) + hole(500))
        #expect(try lane.drain().texts == ["一"] && lane.reported.isEmpty)
        try directory.append("a", "二\n")
        #expect(try lane.drain().texts == ["一", "二"] && lane.reported.count == 1)
    }
}
