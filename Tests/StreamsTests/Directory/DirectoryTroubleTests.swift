import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// Limits, permissions, and directories that go and come back.
@Suite(.offPool) struct DirectoryTroubleTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func settings(_ mode: DirectorySource.Settings.Mode = .files) -> DirectorySource.Settings {
        DirectorySource.Settings(name: "drops", path: directory.path, mode: mode, pollSeconds: 0.01)
    }

    /// Takes events until `lane` has so many lines.
    private func drain(_ lane: DirectoryLane, until count: Int) throws {
        #expect(try eventually { try lane.drain().lines.count >= count })
        #expect(lane.lines.count == count)
    }

    @Test func aMissingDirectoryIsAnError() throws {
        var settings = settings()
        settings.path += "/none"
        let error = #expect(throws: UnderstudyError.self) {
            try DirectorySource(settings, checkpoints: []) { _ in }
        }
        #expect(error?.code == .missingInput && error?.place == settings.path)
        settings.path = directory.path
        settings.after = .move(to: directory.path + "/")
        let other = #expect(throws: UnderstudyError.self) {
            try DirectorySource(settings, checkpoints: []) { _ in }
        }
        #expect(other?.code == .configuration)
    }

    /// Pitfalls row 5.
    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func everyLineArrivesAfterAnOverflow(_ mode: DirectorySource.Settings.Mode) throws {
        let lane = try DirectoryLane(settings(mode), roomBytes: 65_536)
        let limit = Int(try read("/proc/sys/fs/inotify/max_queued_events").dropLast()) ?? 16_384
        let files = 100
        let rounds = limit / files + 10
        // Alternating, so that no event is the same as the one before and merged with it.
        for round in 0..<rounds {
            for file in 0..<files { try directory.append("\(file)", "第\(round)回\n") }
        }
        try directory.append("last", "最后\n")
        try lane.drain()
        #expect(lane.lines.count == files * rounds + 1)
    }

    private func read(_ path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 100)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }

    /// Pitfalls row 6.
    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func withoutWatchesTheDirectoryIsPolled(_ mode: DirectorySource.Settings.Mode) throws {
        var calls = DirectoryCalls()
        calls.add = { _, _, _ in
            errno = ENOSPC
            return -1
        }
        try poll(mode, calls, naming: "fs.inotify.max_user_watches")
    }

    /// Pitfalls row 6.
    @Test func withoutInotifyTheDirectoryIsPolled() throws {
        var calls = DirectoryCalls()
        calls.initialise = {
            errno = EMFILE
            return -1
        }
        try poll(.files, calls, naming: "fs.inotify.max_user_instances")
    }

    private func poll(_ mode: DirectorySource.Settings.Mode, _ calls: DirectoryCalls, naming sysctl: String) throws {
        try directory.append("a", "一\n")
        let lane = try DirectoryLane(settings(mode), calls: calls)
        try drain(lane, until: 1)
        try directory.append("b", "二\n")
        try drain(lane, until: 2)
        try directory.append("a", "三\n")
        try drain(lane, until: 3)
        try directory.rename("a", "c")
        try directory.append("c", "四\n")
        try drain(lane, until: 4)
        #expect(lane.reported.count == 1 && lane.reported.first?.message.contains(sysctl) == true)
    }

    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func anUnreadableFileIsReportedOnceAndTriedAgain(_ mode: DirectorySource.Settings.Mode) throws {
        let isLocked = Monitor(true)
        var calls = DirectoryCalls()
        let open = calls.open
        calls.open = { path in
            guard path.hasSuffix("/locked"), isLocked.withLock({ $0 }) else { return open(path) }
            errno = EACCES
            return -1
        }
        let lane = try DirectoryLane(settings(mode), calls: calls)
        try directory.append("locked", "一\n")
        try directory.append("open", "二\n")
        #expect(try lane.drain().texts == ["二"])
        #expect(lane.reported.map(\.place) == [directory.path("locked")])
        try directory.append("locked", "三\n")
        #expect(try lane.drain().texts == ["二"] && lane.reported.count == 1)
        isLocked.withLock { $0 = false }
        #expect(try lane.drain().texts == ["二"])
        chmod(directory.path("locked"), 0o600)
        #expect(try lane.drain().texts == ["二", "一", "三"])
        #expect(lane.reported.count == 1)
    }

    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func aDirectoryThatComesBackIsReadOn(_ mode: DirectorySource.Settings.Mode) throws {
        var settings = settings(mode)
        try directory.makeDirectory("drops")
        settings.path += "/drops"
        try directory.append("drops/a", "一\n")
        let lane = try DirectoryLane(settings)
        try lane.drain()
        try directory.rename("drops", "away")
        try lane.drain()
        #expect(lane.reported.map(\.code) == [.missingInput])
        try directory.append("away/a", "二\n")
        try directory.rename("away", "drops")
        try drain(lane, until: 2)
        try directory.delete("drops/a")
        rmdir(directory.path("drops"))
        try lane.drain()
        // The kernel keeps a deleted directory as long as a file of it is open.
        lane.commit()
        try lane.drain()
        try directory.makeDirectory("drops")
        try directory.append("drops/b", "三\n")
        try drain(lane, until: 3)
        #expect(lane.texts == ["一", "二", "三"] && lane.reported.count == 2)
        try directory.append("drops/c", "四\n")
        #expect(try lane.drain().texts.last == "四")
    }

    @Test func aReadThatWaitsIsInterruptedAndWokenByFiles() throws {
        let source = try DirectorySource(settings(), checkpoints: []) { _ in }
        let events = Monitor(0)
        let reader = try WorkerThread(name: "reads") {
            var room = [UInt8](repeating: 0, count: 100)
            while true {
                guard let event = try? room.withUnsafeMutableBytes({ try source.read(into: $0) }) else { return }
                if case .stopped = event { return }
                events.withLock { $0 += 1 }
                events.signal(0)
            }
        }
        try directory.append("a", "一\n")
        events.wait(on: 0) { $0 == 3 ? () : nil }
        source.interrupt()
        source.interrupt()
        reader.join()
    }
}
