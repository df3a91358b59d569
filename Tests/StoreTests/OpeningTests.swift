import Diagnostics
import Foundation
import Glibc
import Store
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct OpeningTests {
    private static func code(_ body: () throws -> Void) -> UnderstudyError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? UnderstudyError)?.code
        }
    }

    private static func open(_ directory: String) throws -> Store {
        try Store.open(directory: directory) { _ in }
    }

    @Test func theDirectoryIsMadeForTheServiceAlone() throws {
        let folder = try TemporaryFolder()
        _ = try Self.open(folder.file("a/b/state"))
        var status = stat()
        for name in ["a/b/state", "a/b/state/state.sqlite", "a/b/state/lock"] {
            #expect(stat(folder.file(name), &status) == 0)
            #expect(status.st_mode & 0o027 == 0, "\(name)")
        }
    }

    @Test func aSecondDaemonIsToldWhoRuns() throws {
        let folder = try TemporaryFolder()
        let first = try Self.open(folder.path)
        do {
            _ = try Self.open(folder.path)
            Issue.record("two daemons in one directory")
        } catch let error as UnderstudyError {
            #expect(error.code == .tryAgain)
            #expect(error.message.contains("process \(getpid())"))
        }
        // The first one isn't disturbed, and a third finds the place free after it.
        try first.register(Samples.sink(inode: 1, length: 5))
        try first.close()
        #expect(try Self.open(folder.path).sinkLengths().count == 1)
    }

    @Test func aStoreThatHasGoneLetsTheDirectoryGo() throws {
        let folder = try TemporaryFolder()
        for length in 0..<3 as Range<UInt64> {
            try Self.open(folder.path).register(Samples.sink(inode: 1, length: length))
        }
        #expect(try Self.open(folder.path).sinkLengths().map(\.length) == [2])
    }

    /// A process that is being started shares all open files for a moment; the lock mustn't outlive its owner for that.
    @Test func aStartingProcessDoesNotKeepTheDirectoryLocked() throws {
        let folder = try TemporaryFolder()
        let shared: SharedDescriptor
        do {
            let store = try Self.open(folder.path)
            shared = try #require(SharedDescriptor(path: folder.file("lock")))
            try store.register(Samples.sink(inode: 1, length: 1))
        }
        #expect(try Self.open(folder.path).sinkLengths().count == 1)
        withExtendedLifetime(shared) {}
    }

    @Test func besideADaemon() throws {
        let folder = try TemporaryFolder()
        #expect(
            Self.code { _ = try Store.openBeside(directory: folder.path, readOnly: true) { _ in } } == .missingInput)
        #expect(folder.names.isEmpty)
        let daemon = try Self.open(folder.path)
        try daemon.commit(Commit(disagreements: [Samples.row(id: 1)]))
        let reader = try Store.openBeside(directory: folder.path, readOnly: true) { _ in }
        let writer = try Store.openBeside(directory: folder.path, readOnly: false) { _ in }
        #expect(try reader.disagreements(limit: 5) == [Samples.row(id: 1)])
        #expect(Self.code { _ = try reader.setHumanLabel(id: 1, label: Samples.labels[0]) } == .cannotCreate)
        #expect(try writer.setHumanLabel(id: 1, label: Samples.labels[0]) == .kept)
        #expect(try daemon.disagreements(limit: 5).map(\.humanLabel) == [Samples.labels[0]])
        #expect(try reader.disagreements(limit: 5).map(\.humanLabel) == [Samples.labels[0]])
        // Without the daemon it can be read as well.
        try daemon.close()
        #expect(try reader.disagreements(limit: 5).count == 1)
    }

    /// What another process keeps locked is neither waited for without end nor taken for damage.
    @Test(.enabled(if: Sqlite3.isThere, "needs the sqlite3 shell")) func aLockedDatabaseIsNoDamage() throws {
        let folder = try TemporaryFolder()
        try Self.open(folder.path).register(Samples.sink(inode: 1, length: 5))
        let locker = try Sqlite3(folder.file("state.sqlite"), "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")
        defer { locker.end() }
        #expect(
            Self.code {
                _ = try Store.open(directory: folder.path, patience: 0.05) { _ in }
            } == .tryAgain)
        locker.end()
        #expect(try Self.open(folder.path).sinkLengths().count == 1)
        #expect(!folder.names.contains { $0.contains("damaged") })
    }

    @Test func aNewerStateIsRefused() throws {
        let folder = try TemporaryFolder()
        let newer = StoreSchema(number: StoreSchema.current.number + 1, release: "7.5")
        try Store.open(directory: folder.path, schema: newer) { _ in }.close()
        let attempts: [() throws -> Store] = [
            { try Self.open(folder.path) },
            { try Store.openBeside(directory: folder.path, readOnly: true) { _ in } },
        ]
        for attempt in attempts {
            do {
                _ = try attempt()
                Issue.record("a newer state was taken")
            } catch let error as UnderstudyError {
                #expect(error.code == .configuration)
                #expect(error.message.contains("7.5"))
            }
        }
        #expect(!folder.names.contains { $0.contains("damaged") })
    }

    @Test(arguments: [[], Array("这不是数据库".utf8), Array(repeating: 0x41, count: 10_000)])
    func whatIsNoDatabaseIsSetAside(content: [UInt8]) throws {
        let folder = try TemporaryFolder()
        try folder.write(content, to: "state.sqlite")
        #expect(
            Self.code { _ = try Store.openBeside(directory: folder.path, readOnly: true) { _ in } } != nil)
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        #expect(try store.checkpoints().isEmpty)
        let aside = try #require(folder.names.first { $0.hasPrefix("state.sqlite.damaged-") && !$0.hasSuffix("-shm") })
        #expect(folder.bytes(of: aside) == content)
        #expect(reports.all.contains { $0.message.contains(aside) })
    }

    @Test func setAsideTwiceInASecond() throws {
        let folder = try TemporaryFolder()
        for number in 1...3 as ClosedRange<UInt8> {
            try folder.write([number], to: "state.sqlite")
            try Self.open(folder.path).close()
        }
        let kept = folder.names.filter { $0.hasPrefix("state.sqlite.damaged-") && !$0.hasSuffix("-shm") }
        #expect(kept.compactMap { folder.bytes(of: $0) }.sorted { $0[0] < $1[0] } == [[1], [2], [3]])
    }

    @Test func whereNoDirectoryCanBe() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "file")
        #expect(Self.code { _ = try Self.open(folder.file("file")) } == .cannotCreate)
        #expect(Self.code { _ = try Self.open(folder.file("file/state")) } == .cannotCreate)
        try FileManager.default.createDirectory(
            atPath: folder.file("odd/state.sqlite"), withIntermediateDirectories: true)
        #expect(Self.code { _ = try Self.open(folder.file("odd")) } == .cannotCreate)
    }

    /// What is no file is neither waited for nor replaced, by the daemon or beside it; `-wal` and `-shm` as well.
    @Test(arguments: ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"]) func whatIsNoFile(name: String) throws {
        let makers: [(String, (String) -> Bool)] = [
            ("a FIFO", { mkfifo($0, 0o600) == 0 }), ("a directory", { mkdir($0, 0o700) == 0 }),
            ("link to a missing file", { symlink("nowhere/state.sqlite", $0) == 0 }),
            ("can't be", { symlink($0, $0) == 0 }),
        ]
        for (what, make) in makers {
            let folder = try TemporaryFolder()
            try Self.open(folder.path).close()
            for companion in [name, "state.sqlite-wal", "state.sqlite-shm"] { unlink(folder.file(companion)) }
            try #require(make(folder.file(name)))
            let before = folder.names
            for attempt in [
                { _ = try Self.open(folder.path) },
                { _ = try Store.openBeside(directory: folder.path, readOnly: true) { _ in } },
            ] as [() throws -> Void] {
                let error = #expect(throws: UnderstudyError.self) { try attempt() }
                #expect(error?.code == .cannotCreate && error?.place == folder.file(name))
                #expect(error?.message.contains(what) == true || what == "can't be")
            }
            #expect(folder.names == before)
        }
    }

    @Test func theStateMayBeBehindALink() throws {
        let folder = try TemporaryFolder()
        try Self.open(folder.path).register(Samples.sink(inode: 1, length: 5))
        #expect(rename(folder.file("state.sqlite"), folder.file("elsewhere")) == 0)
        #expect(symlink("elsewhere", folder.file("state.sqlite")) == 0)
        #expect(try Self.open(folder.path).sinkLengths().count == 1)
    }

    /// Waiting for a lock ends with the time that a drain has.
    @Test(.enabled(if: Sqlite3.isThere, "needs the sqlite3 shell")) func aDrainBoundsTheWaiting() throws {
        let folder = try TemporaryFolder()
        // So long that the test would fail by its own patience if the limit weren't kept.
        let store = try Store.open(directory: folder.path, patience: 3600) { _ in }
        let locker = try Sqlite3(folder.file("state.sqlite"), "BEGIN IMMEDIATE;")
        defer { locker.end() }
        store.limitPatience(until: Monotonic.nanoseconds + 10_000_000)
        #expect(Self.code { try store.register(Samples.sink(inode: 1, length: 5)) } == .tryAgain)
    }

    @Test(.disabled(if: getuid() == 0, "root may write everywhere")) func withoutPermission() throws {
        let folder = try TemporaryFolder()
        try Self.open(folder.path).close()
        chmod(folder.path, 0o500)
        defer { chmod(folder.path, 0o700) }
        #expect(Self.code { _ = try Self.open(folder.path) } == .cannotCreate)
        #expect(Self.code { _ = try Self.open(folder.file("new")) } == .cannotCreate)
    }
}
