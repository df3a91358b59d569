import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// gzip and zstd files, which are known by their first bytes.
@Suite(.offPool) struct DirectoryArchiveTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(roomBytes: Int = 4096) throws -> DirectoryLane {
        try DirectoryLane(DirectorySource.Settings(name: "drops", path: directory.path), roomBytes: roomBytes)
    }

    private static let lines = (0..<3000).map { "第\($0)条：市场今天上涨了\($0 * 7919 % 1000)点" }
    private static let packers: [@Sendable ([UInt8]) throws -> [UInt8]] = [
        { try Archives.gzip($0) }, { try Archives.zstd($0) },
    ]

    private func bytes(_ lines: some Sequence<String>) -> [UInt8] { lines.flatMap { Array(($0 + "\n").utf8) } }

    @Test(arguments: packers.indices) func membersOneAfterAnotherAreOneText(_ index: Int) throws {
        let pack = Self.packers[index]
        let lane = try lane()
        let text = bytes(Self.lines)
        // Cut in the middle of a line.
        let packed = try pack(Array(text[..<20_000])) + pack([]) + pack(Array(text[20_000...]))
        try directory.append("a.txt", packed)
        #expect(try lane.drain().texts == Self.lines)
        lane.commit()
        #expect(lane.kept.values.first?.offset == UInt64(text.count))
        try lane.restart()
        #expect(try lane.drain().opened.isEmpty)
    }

    @Test(arguments: packers.indices) func readingGoesOnInTheUnpackedText(_ index: Int) throws {
        let lane = try lane()
        try directory.append("a", try Self.packers[index](bytes(Self.lines)))
        try lane.drain()
        let origin = try #require(lane.opened.first)
        let (first, second) = (lane.lines[100], lane.lines[2000])
        try lane.keep(
            SourcePosition(origin: origin, offset: second.offset, line: second.number, unanswered: [first.offset]))
        try lane.restart()
        try lane.drain()
        #expect(lane.texts == [Self.lines[100]] + Self.lines[2000...])
        #expect(lane.lines.map(\.number) == [101] + Array(2001...3000))
    }

    @Test(arguments: packers.indices) func anArchiveThatGrewGoesOn(_ index: Int) throws {
        let pack = Self.packers[index]
        let lane = try lane()
        try directory.append("a", try pack(bytes(Self.lines)))
        try lane.drain()
        try directory.append("a", try pack(bytes(["又一条"])))
        try lane.drain()
        #expect(lane.texts == Self.lines + ["又一条"])
        lane.commit()
        try lane.restart { try directory.append("a", try pack(bytes(["最后一条"]))) }
        try lane.drain()
        #expect(lane.texts == ["最后一条"])
        #expect(lane.lines.map(\.number) == [3002])
    }

    @Test(arguments: packers.indices) func aCutArchiveGivesWhatItHas(_ index: Int) throws {
        let lane = try lane()
        let packed = try Self.packers[index](bytes(Self.lines))
        try directory.append("a", packed.dropLast(5))
        try directory.append("b", "普通文件\n")
        try lane.drain()
        lane.commit()
        #expect(lane.texts.last == "普通文件" && lane.positions.allSatisfy { $0.isFinished })
        #expect(lane.reported.count == 1 && lane.reported.first?.code == .invalidData)
        #expect(lane.reported.first?.place == directory.path("a") + ":byte \(packed.count - 5)")
        // What comes is a beginning of what was packed: of whole lines, wherever it was cut.
        let given = Array(lane.texts.dropLast())
        #expect(given == Array(Self.lines.prefix(given.count)))
        let isTorn = lane.torn.first.map { Self.lines[given.count].hasPrefix($0.text) && $0.number == given.count + 1 }
        #expect(isTorn ?? true && lane.torn.count <= 1)
        try lane.restart()
        #expect(try lane.drain().opened.isEmpty && lane.torn.isEmpty)
        // Once the rest has come the torn line is a whole one.
        try directory.append("a", packed.suffix(5))
        try lane.drain()
        #expect(lane.texts == Array(Self.lines[given.count...]))
    }

    /// A member that is whole, and then one cut short: its tail is handed out as torn, once, also where an earlier run had
    /// left lines before it without an answer; and again where it was killed before that was durable.
    @Test(arguments: packers.indices) func aTornTailIsToldOfOnce(_ index: Int) throws {
        let pack = Self.packers[index]
        let text = bytes(Self.lines[..<50])
        let packed = try pack(Array(text.dropLast(4))) + pack(Array(text.suffix(4).dropLast())).dropLast(6)
        try directory.append("a", packed)
        let lane = try lane(roomBytes: 100)
        try lane.drain()
        let tail = lane.torn
        #expect(lane.texts == Array(Self.lines[..<49]))
        #expect(tail.map(\.number) == [50] && tail.first.map { Self.lines[49].hasPrefix($0.text) } == true)
        #expect(tail.first?.offset == UInt64(bytes(Self.lines[..<49]).count))
        #expect(
            lane.reported.map(\.message) == [
                "the archive is damaged or truncated; whole lines before that were read, and line 50 is a dead letter"
            ])
        // Killed before anything was durable, and after some lines were.
        try lane.restart()
        #expect(try lane.drain().torn == tail)
        lane.commit(upTo: lane.trail.count - 1)
        try lane.restart()
        #expect(try lane.drain().torn == tail && lane.lines.isEmpty)
        // Durable, with a line before it left for later.
        try lane.restart()
        let position = SourcePosition(
            origin: try #require(try lane.drain().opened.first), offset: tail[0].offset, line: 50, isFinished: true,
            unanswered: [0])
        try lane.keep(position)
        try lane.restart()
        #expect(try lane.drain().texts == [Self.lines[0]] && lane.torn.isEmpty)
        lane.commit()
        #expect(lane.kept.values.first?.offset == tail[0].offset && lane.kept.values.first?.isFinished == true)
        try lane.restart()
        #expect(try lane.drain().opened.isEmpty)
    }

    /// Whatever is missing of an archive, no part of a line is answered as if it were whole.
    @Test(arguments: packers.indices) func noTornLineIsAnswered(_ index: Int) throws {
        let pack = Self.packers[index]
        let lines = Self.lines[..<60]
        let first = try pack(Array(bytes(lines[..<30]).dropLast(7)))
        let packed = first + (try pack(Array(bytes(lines[..<30]).suffix(7)) + bytes(lines[30...])))
        for cut in stride(from: 5, to: packed.count, by: 7) {
            try directory.append("\(1000 + cut)", packed[..<cut])
        }
        let lane = try lane(roomBytes: 64).drain()
        let whole = Set(lines)
        #expect(lane.lines.allSatisfy { whole.contains($0.text) })
        #expect(lane.positions.count >= (packed.count - 5) / 7)
        lane.commit()
        #expect(lane.kept.values.allSatisfy { $0.isFinished })
    }

    @Test(arguments: packers.indices) func damageInAnyPlaceEndsOnlyThatFile(_ index: Int) throws {
        var random = SplitMix(seed: 11)
        let packed = try Self.packers[index](bytes(Self.lines[..<40]))
        for round in 0..<60 {
            var bad = packed
            bad[Int.random(in: 4..<bad.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            try directory.append("\(round)", bad)
        }
        let lane = try lane().drain()
        #expect(lane.positions.count == 60 && lane.positions.allSatisfy { $0.isFinished })
    }

    @Test func aBombOnlyCostsTime() throws {
        let lane = try lane(roomBytes: 65_536)
        // 8 MiB of one letter in a few kilobytes: far more than is ever held.
        let bomb = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 23)
        try directory.append("a", try Archives.zstd(bomb))
        var largest = 0
        var room = [UInt8](repeating: 0, count: 65_536)
        let source = try #require(lane.source)
        while let event = room.withUnsafeMutableBytes({ source.probe(into: $0) }) {
            if case .bytes(let count) = event { largest += count }
        }
        #expect(largest == 1 << 23)
    }
}
