import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// Random things are done to files, while the source runs and while it doesn't, with restarts from what was durable;
/// every line must come out exactly once.
@Suite(.offPool) struct DirectoryPropertyTests {
    /// Pitfalls rows 1, 2, 3, 4, 13, 14 and 16.
    @Test(arguments: 0..<UInt64(12)) func followedFilesAreReadExactlyOnce(_ seed: UInt64) throws {
        var play = try Play(mode: .tail, seed: seed)
        for _ in 0..<60 { try play.step() }
        try play.end()
    }

    /// Pitfalls rows 1, 2, 4, 7, 13 and 16.
    @Test(arguments: 0..<UInt64(12)) func wholeFilesAreReadExactlyOnce(_ seed: UInt64) throws {
        var play = try Play(mode: .files, seed: seed)
        for _ in 0..<60 { try play.step() }
        try play.end()
    }

    /// Pitfalls row 22: one call in so many fails, comes short or is interrupted.
    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail], 2000..<UInt64(2010))
    func failingCallsLoseAndDoubleNothing(_ mode: DirectorySource.Settings.Mode, _ seed: UInt64) throws {
        var play = try Play(mode: mode, seed: seed, faults: Faults(seed: seed, oneIn: seed % 2 == 0 ? 8 : 40))
        for _ in 0..<60 { try play.step() }
        try play.end()
    }

    /// Pitfalls row 6.
    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail], 1000..<UInt64(1003))
    func polledFilesAreReadExactlyOnce(_ mode: DirectorySource.Settings.Mode, _ seed: UInt64) throws {
        var play = try Play(mode: mode, seed: seed, isPolled: true)
        for _ in 0..<25 { try play.step() }
        try play.end()
    }
}

private struct Play {
    private let isPolled: Bool
    private let faults: Faults?
    private let mode: DirectorySource.Settings.Mode
    private let seed: UInt64
    private let directory: TestDirectory
    private let lane: DirectoryLane
    private var random: SplitMix
    private var model = DirectoryModel()
    /// Programs that keep their file open, by its present name.
    private var writers: [String: TestFile] = [:]
    private var isRunning = true
    /// The contents of which something was kept, so that they are known under any name.
    private var known: Set<Int> = []

    init(
        mode: DirectorySource.Settings.Mode, seed: UInt64, isPolled: Bool = false, faults: Faults? = nil
    ) throws {
        self.isPolled = isPolled
        self.faults = faults
        self.mode = mode
        self.seed = seed
        random = SplitMix(seed: seed)
        directory = try TestDirectory()
        var settings = DirectorySource.Settings(
            name: "play", path: directory.path, mode: mode, include: ["*.log"], recursive: seed % 2 == 0)
        settings.pollSeconds = 0.001
        var calls = faults?.calls ?? DirectoryCalls()
        if isPolled {
            calls.add = { _, _, _ in
                errno = ENOSPC
                return -1
            }
        }
        // Small rooms, so that lines are split; few descriptors, so that files are opened again.
        lane = try DirectoryLane(
            settings, roomBytes: seed % 3 == 0 ? 16 : 4096,
            limits: DirectoryLimits(heldFiles: 64, settleNanoseconds: 0, retryNanoseconds: 0), calls: calls)
    }

    mutating func step() throws {
        if Int.random(in: 0..<12, using: &random) == 0 { return try restart() }
        try act()
        if Int.random(in: 0..<3, using: &random) > 0 { try drain() }
        if Int.random(in: 0..<4, using: &random) == 0 { commit() }
    }

    mutating func end() throws {
        for name in model.names.keys.sorted() where name.hasSuffix(".log") {
            if mode == .tail { try rotate(name) } else { model.close(name) }
        }
        writers = [:]
        try drain()
        lane.commit()
        model.check(lane.durable, seed: seed)
        #expect(lane.reported.isEmpty != (isPolled || faults != nil), "seed \(seed)")
        if let faults {
            #expect(faults.count > 0 && lane.reported.count <= faults.count, "seed \(seed)")
            // What follows needs every call to say what is there.
            faults.stop()
            try drain()
        }
        // Nothing is kept that isn't there any more.
        for name in model.names.keys { try directory.delete(name) }
        try drain()
        lane.commit()
        if isPolled {
            // Without events, a file that is gone from its name may still be found under another.
            try drain()
            try drain()
            lane.commit()
        }
        #expect(lane.kept.isEmpty && directory.openDescriptors == 0, "seed \(seed)")
        try lane.restart()
        #expect(try lane.drain().lines.isEmpty)
    }

    private mutating func drain() throws {
        // Longer than the clock of file times stands still: without an event, a file that is overwritten by as many bytes
        // within one of its ticks looks the same. A failed call takes an event's place by a later look.
        if isPolled || faults != nil { usleep(11_000) }
        try lane.drain()
    }

    /// A random beginning of what was taken becomes durable.
    private mutating func commit() {
        lane.commit(upTo: Int.random(in: 0...lane.trail.count, using: &random))
    }

    private mutating func restart() throws {
        var random = self.random
        // Before a crash, some lines of what is durable may have been passed over.
        if Bool.random(using: &random) {
            lane.commit(upTo: Int.random(in: 0...lane.trail.count, using: &random)) { _ in
                Int.random(in: 0..<4, using: &random) == 0
            }
        }
        self.random = random
        isRunning = false
        try lane.restart {
            for _ in 0..<Int.random(in: 0...4, using: &self.random) { try act() }
        }
        isRunning = true
        if Int.random(in: 0..<3, using: &self.random) > 0 { try drain() }
    }

    // MARK: what happens to files

    private mutating func act() throws {
        let name = "\(["a", "b", "c"].randomElement(using: &random) ?? "a").log"
        guard let content = model.content(of: name) else { return try write(name) }
        switch Int.random(in: 0..<12, using: &random) {
        case 0: try rotate(name)
        case 1: try truncate(name)
        case 2: try delete(name)
        default:
            if content.isClosed { try rotate(name) } else { try write(name) }
        }
    }

    private mutating func write(_ name: String) throws {
        let isPartial = Int.random(in: 0..<3, using: &random) == 0
        let isNew = model.content(of: name) == nil
        let bytes = model.append(to: name, partial: isPartial, &random)
        if mode == .files, isNew, Bool.random(using: &random) {
            try directory.append(".\(name)", bytes)
            try directory.rename(".\(name)", name)
        } else if mode == .tail, writers[name] != nil || Bool.random(using: &random) {
            let writer = try writers[name] ?? TestFile(directory.path(name))
            writers[name] = writer
            try writer.write(bytes)
        } else {
            try directory.append(name, bytes)
        }
        // A file that is read when it is closed is read with its last line as it is.
        if mode == .files, isPartial { model.close(name) }
    }

    private mutating func rotate(_ name: String) throws {
        let other = model.newName(for: name)
        // A file of which nothing was kept under a name that is taken isn't known under another.
        if isRunning, !isKnown(name) {
            try drain()
            lane.commit()
            known = Set(model.names.filter { isKept($0.key) }.values)
        }
        guard isKnown(name) else { return }
        try directory.rename(name, other)
        // Its writer goes on for a moment.
        if let writer = writers.removeValue(forKey: name) {
            try writer.write(model.append(to: name, partial: Bool.random(using: &random), &random))
        }
        model.close(name)
        model.rename(name, other)
    }

    /// Copied to a name that isn't taken, and emptied.
    private mutating func truncate(_ name: String) throws {
        if isRunning { try drain() }
        model.destroy(name)
        let writer = try writers[name] ?? TestFile(directory.path(name))
        if mode == .tail { writers[name] = writer }
        writer.truncate()
        try writer.write(model.append(to: name, partial: false, &random))
    }

    private mutating func delete(_ name: String) throws {
        if isRunning { try drain() }
        // What stands in it is read before it is let go, unless a crash comes between.
        if mode == .tail { model.close(name) }
        model.destroy(name)
        try directory.delete(name)
        writers[name] = nil
    }

    private func isKnown(_ name: String) -> Bool { model.names[name].map(known.contains) ?? false }

    private func isKept(_ name: String) -> Bool {
        var status = stat()
        guard stat(directory.path(name), &status) == 0 else { return false }
        return lane.kept.keys.contains { $0.inode == UInt64(status.st_ino) }
    }
}
