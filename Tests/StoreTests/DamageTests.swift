import Diagnostics
import Foundation
import Store
import Streams
import TestSupport
import Testing

/// Whatever happens to the files, a start succeeds, and no line is lost by it.
@Suite(.offPool) struct DamageTests {
    private static let stopped = Result { try DamagedState(commits: 60, stops: true) }
    private static let running = Result { try DamagedState(commits: 190, stops: false) }

    /// More places, to be set by hand after changes to the opening: `UNDERSTUDY_DAMAGE=50 swift test --filter DamageTests`
    private static let thoroughness =
        ProcessInfo.processInfo.environment["UNDERSTUDY_DAMAGE"].flatMap(Int.init) ?? 1

    private static func inspect(
        _ state: Result<DamagedState, any Error>, log: Bool, isLarge: Bool = false, count: Int, seed: UInt64,
        _ damage: (inout [UInt8], inout SplitMix) -> Int
    ) throws {
        let state = try state.get()
        var random = SplitMix(seed: seed &* UInt64(thoroughness))
        var problems: [String] = []
        for _ in 0..<(count * thoroughness) {
            var bytes = log ? state.log : state.main
            let place = damage(&bytes, &random)
            do {
                let problem = try state.problem(
                    main: log ? state.main : bytes, log: log ? bytes : state.log, isLarge: isLarge)
                if let problem { problems.append("at \(place): \(problem)") }
            } catch {
                problems.append("at \(place): \(error)")
            }
        }
        #expect(problems.isEmpty)
    }

    private static func flip(_ bytes: inout [UInt8], _ random: inout SplitMix) -> Int {
        let place = Int.random(in: bytes.indices, using: &random)
        bytes[place] ^= .random(in: 1...255, using: &random)
        return place
    }

    private static func cut(_ bytes: inout [UInt8], _ random: inout SplitMix) -> Int {
        let place = Int.random(in: bytes.indices, using: &random)
        bytes.removeLast(bytes.count - place)
        return place
    }

    @Test func theStatesAreWorthDamaging() throws {
        let stopped = try Self.stopped.get()
        #expect(stopped.main.count > 10 * 4096)
        #expect(stopped.log.count > 10 * 4096)
        #expect(try stopped.problem(main: stopped.main, log: stopped.log) == nil)
        let running = try Self.running.get()
        #expect(running.main.count > 15 * 4096)
        #expect(running.log.count > 900 * 4096)
        #expect(try running.problem(main: running.main, log: running.log) == nil)
    }

    @Test func aFlippedByteOfTheDatabase() throws {
        try Self.inspect(Self.stopped, log: false, count: 100, seed: 1, Self.flip)
    }

    @Test func aFlippedByteOfALargeDatabase() throws {
        try Self.inspect(Self.stopped, log: false, isLarge: true, count: 60, seed: 7, Self.flip)
    }

    @Test func aFlippedByteOfTheLog() throws {
        try Self.inspect(Self.stopped, log: true, count: 80, seed: 2, Self.flip)
    }

    @Test func aFlippedByteOfALogThatWasCopied() throws {
        try Self.inspect(Self.running, log: true, count: 12, seed: 3, Self.flip)
    }

    @Test func aCutDatabase() throws { try Self.inspect(Self.stopped, log: false, count: 40, seed: 4, Self.cut) }
    @Test func aCutLog() throws { try Self.inspect(Self.stopped, log: true, count: 40, seed: 5, Self.cut) }
    @Test func aCutLogThatWasCopied() throws { try Self.inspect(Self.running, log: true, count: 12, seed: 6, Self.cut) }

    /// A failing read can look like damage to a running daemon. A state in which the next start finds none is kept.
    @Test func aStateThatTheLastRunMetDamageInIsChecked() throws {
        let state = try Self.stopped.get()
        let folder = try TemporaryFolder()
        try folder.write(state.main, to: "state.sqlite")
        try folder.write([0x0A], to: "state.sqlite.suspect")
        let store = try Store.open(directory: folder.path, wholeCheck: 0) { Issue.record($0) }
        #expect(!folder.names.contains { $0.hasPrefix("state.sqlite.damaged-") })
        #expect(try store.sinkLengths().map(\.length) == [29])
        #expect(folder.names.contains("state.sqlite.suspect"))
        try store.close()
        #expect(!folder.names.contains("state.sqlite.suspect"))
    }

    /// Run after run came upon damage that no check at a start finds.
    @Test func aStateThatTheLastRunsMetDamageIn() throws {
        let state = try Self.stopped.get()
        let folder = try TemporaryFolder()
        try folder.write(state.main, to: "state.sqlite")
        try folder.write([0x0A, 0x0A, 0x0A], to: "state.sqlite.suspect")
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        #expect(folder.names.contains { $0.hasPrefix("state.sqlite.damaged-") })
        #expect(!folder.names.contains("state.sqlite.suspect"))
        #expect(!reports.all.isEmpty)
        // Everything held, so everything is kept.
        #expect(try store.checkpoints().count == 11)
        #expect(try store.sinkLengths().map(\.length) == [29])
        #expect(try store.disagreements(limit: 100).count == 29)
    }

    /// A rename that fails while the damaged files are set aside: the next start doesn't open a database without its
    /// log, which is an older state.
    @Test func aStateThatCannotBeSetAsideCompletely() throws {
        let state = try Self.running.get()
        let folder = try TemporaryFolder()
        try folder.write(state.main, to: "state.sqlite")
        try folder.write(state.log, to: "state.sqlite-wal")
        try folder.write([], to: "state.sqlite-shm")
        try folder.write([0x0A, 0x0A, 0x0A], to: "state.sqlite.suspect")
        // The name has the time in it: directories block the names of the next minutes.
        let form = DateFormatter()
        form.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        form.timeZone = TimeZone(identifier: "UTC")
        let now = Date()
        let blocks = (0..<600).map { second in
            folder.file("state.sqlite.damaged-\(form.string(from: now + Double(second)))-shm")
        }
        for block in blocks { try #require(mkdir(block, 0o700) == 0) }
        #expect(throws: UnderstudyError.self) { try Store.open(directory: folder.path) { _ in } }
        for block in blocks { rmdir(block) }
        let store = try Store.open(directory: folder.path) { _ in }
        let offsets = Dictionary(uniqueKeysWithValues: try store.checkpoints().map { ($0.file.inode, $0.offset) })
        #expect(offsets == state.history.last)
        #expect(try store.sinkLengths().map(\.length) == [UInt64(state.history.count - 1)])
        #expect(folder.names.contains { $0.hasPrefix("state.sqlite.damaged-") && $0.hasSuffix("-wal") })
    }

    /// A crash while a damaged database was being replaced.
    @Test func aReplacementThatWasCutShort() throws {
        let state = try Self.stopped.get()
        let folder = try TemporaryFolder()
        try folder.write(state.main, to: "state.sqlite.new")
        try folder.write(Array(state.main.prefix(5000)), to: "state.sqlite.partial")
        try folder.write(state.log, to: "state.sqlite-wal")
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        // The log that lies there was another database's.
        #expect(try store.sinkLengths().map(\.length) == [29])
        #expect(reports.all.isEmpty)
        #expect(!folder.names.contains("state.sqlite.partial"))
    }
}
