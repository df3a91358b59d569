import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// System calls that fail: "can't tell" never means "gone" or "another file".
@Suite(.offPool) struct DirectoryFaultTests {
    typealias Mode = DirectorySource.Settings.Mode
    static let modes: [Mode] = [.files, .tail]

    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func settings(_ mode: Mode, recursive: Bool = false) -> DirectorySource.Settings {
        DirectorySource.Settings(
            name: "drops", path: directory.path, mode: mode, recursive: recursive, pollSeconds: 3600)
    }

    private static func lines(_ range: Range<Int>) -> [String] { range.map { "第\($0)条：市场今天上涨了" } }
    private static func bytes(_ range: Range<Int>) -> String { lines(range).map { $0 + "\n" }.joined() }

    /// Issue row: one `pread` fails with EIO. Each of the first sixty reads fails in turn.
    @Test(arguments: modes) func oneFailedReadLosesAndDoublesNothing(_ mode: Mode) throws {
        for skipped in 0..<60 {
            let directory = try TestDirectory()
            try directory.append("a", Self.bytes(0..<300))
            let fault = OneFault(after: skipped)
            let calls = failingReads(fault)
            var settings = settings(mode)
            settings.path = directory.path
            let lane = try DirectoryLane(settings, roomBytes: 1000, calls: calls)
            try lane.drain()
            #expect(fault.isUsedUp == !lane.reported.isEmpty)
            #expect(lane.texts == Self.lines(0..<300), "read \(skipped)")
            #expect(lane.reported.count <= 1 && lane.reported.allSatisfy { $0.place == directory.path("a") })
            lane.commit()
            #expect(lane.kept.count == 1)
            try lane.restart { try directory.append("a", Self.bytes(300..<310)) }
            try lane.drain()
            #expect(lane.texts == Self.lines(300..<310), "read \(skipped)")
        }
    }

    /// Reads of an archive fail, also while what was handed out before is skipped.
    @Test(arguments: 1...3) func failedReadsOfAnArchiveLoseAndDoubleNothing(_ failing: Int) throws {
        for skipped in 0..<12 {
            let directory = try TestDirectory()
            try directory.append("a.gz", try Archives.gzip(Array(Self.bytes(0..<300).utf8)))
            let fault = OneFault(after: skipped, failing: failing)
            var settings = settings(.files)
            settings.path = directory.path
            let lane = try DirectoryLane(settings, roomBytes: 1000, calls: failingReads(fault))
            try lane.drain()
            #expect(lane.texts == Self.lines(0..<300), "read \(skipped)")
            #expect(lane.lines.map(\.number) == Array(1...300), "read \(skipped)")
        }
    }

    private func failingReads(_ fault: OneFault) -> DirectoryCalls {
        var calls = DirectoryCalls()
        let read = calls.read
        calls.read = { descriptor, room, offset in
            guard fault.hits() else { return read(descriptor, room, offset) }
            errno = EIO
            return -1
        }
        return calls
    }

    /// A read that fails for long is said once, and tried with longer and longer pauses.
    @Test func aReadThatFailsForLongIsSaidOnce() throws {
        try directory.append("a", Self.bytes(0..<10))
        let fault = OneFault(failing: 50)
        let lane = try DirectoryLane(settings(.tail), calls: failingReads(fault))
        try lane.drain()
        #expect(lane.texts == Self.lines(0..<10) && fault.isUsedUp && lane.reported.count == 1)
        let limits = DirectoryLimits(retryNanoseconds: 100)
        #expect([1, 2, 3, 7, 8, 1000].map { limits.pause(after: $0) } == [100, 200, 400, 6400, 6400, 6400])
    }

    /// Issue row: one `readdir` or `statx` fails at the start.
    @Test(arguments: modes, 0..<12) func aFailedLookAtTheStartForgetsNothing(_ mode: Mode, _ skipped: Int) throws {
        for name in ["a", "b", "c"] { try directory.append(name, Self.bytes(0..<20)) }
        for isListing in [true, false] {
            let fault = OneFault(after: skipped, failing: 0)
            var calls = DirectoryCalls()
            let (list, status) = (calls.list, calls.status)
            if isListing {
                calls.list = { directory, body in
                    guard fault.hits() else { return list(directory, body) }
                    var count = 0
                    _ = list(directory) { name in
                        count += 1
                        if count <= skipped { body(name) }
                    }
                    return EIO
                }
            } else {
                calls.status = { fault.hits() ? EIO : status($0, $1, &$2) }
            }
            let lane = try DirectoryLane(settings(mode), calls: calls)
            try lane.drain()
            lane.commit()
            let kept = lane.kept
            #expect(kept.count == 3 && lane.lines.count == 60)
            try lane.restart { isListing ? fault.fail(1) : fault.fail(skipped + 1) }
            #expect(lane.kept == kept)
            try lane.drain()
            lane.commit()
            #expect(lane.texts == [] && lane.kept.count == 3 && fault.isUsedUp)
            #expect(!lane.reported.isEmpty)
        }
    }

    /// A look at the directory fails, and when that is taken again one at what is in it: neither is forgotten.
    @Test(arguments: modes) func twoLooksThatFailAtTheStartForgetNothing(_ mode: Mode) throws {
        for name in ["a", "b", "c"] { try directory.append(name, Self.bytes(0..<20)) }
        let (looks, listings) = (OneFault(failing: 0), OneFault(failing: 0))
        var calls = DirectoryCalls()
        let (list, status) = (calls.list, calls.status)
        calls.list = { listings.hits() ? EIO : list($0, $1) }
        calls.status = { looks.hits() ? EIO : status($0, $1, &$2) }
        let lane = try DirectoryLane(settings(mode), calls: calls)
        try lane.drain()
        lane.commit()
        let kept = lane.kept
        #expect(kept.count == 3 && lane.lines.count == 60)
        try lane.restart {
            looks.fail(1)
            listings.fail(1)
        }
        try lane.drain()
        lane.commit()
        #expect(looks.isUsedUp && listings.isUsedUp)
        #expect(lane.texts == [] && lane.kept.count == 3)
        try directory.append("a", "新\n")
        #expect(try lane.drain().texts == ["新"])
    }

    /// Issue row: one `statx` fails when inotify tells of a file.
    @Test(arguments: modes) func aFailedLookAtANewNameIsTakenAgain(_ mode: Mode) throws {
        let fault = OneFault(failing: 0)
        var calls = DirectoryCalls()
        let status = calls.status
        calls.status = { fault.hits() ? EIO : status($0, $1, &$2) }
        let lane = try DirectoryLane(settings(mode), calls: calls)
        try lane.drain()
        fault.fail(3)
        try directory.append("a", "一\n")
        #expect(try lane.drain().texts == ["一"] && fault.isUsedUp)
        fault.fail(1)
        try directory.rename("a", "b")
        try lane.drain()
        try directory.append("b", "二\n")
        #expect(try lane.drain().texts == ["一", "二"])
        fault.fail(2)
        try directory.delete("b")
        try lane.drain()
        lane.commit()
        try lane.drain()
        #expect(lane.kept.isEmpty && directory.openDescriptors == 0)
    }

    /// A file whose new name can't be examined yet isn't gone: what was appended to it is read, and nothing twice.
    @Test(arguments: modes, ["a.log.1", "b.log"])
    func aRenamedFileWaitsForALookAtItsNewName(_ mode: Mode, _ name: String) throws {
        let fault = OneFault(failing: 0)
        var calls = DirectoryCalls()
        let status = calls.status
        calls.status = { $0.hasSuffix(name) && fault.hits() ? EIO : status($0, $1, &$2) }
        var settings = settings(mode)
        settings.include = ["*.log"]
        let lane = try DirectoryLane(settings, calls: calls)
        try directory.append("a.log", "一\n")
        try lane.drain()
        lane.commit()
        fault.fail(3)
        try directory.append("a.log", "二\n")
        try directory.rename("a.log", name)
        #expect(try lane.drain().texts == ["一", "二"] && fault.isUsedUp)
        lane.commit()
        try directory.delete(name)
        try lane.drain()
        lane.commit()
        #expect(lane.kept.isEmpty && directory.openDescriptors == 0)
    }

    /// A position that can't be kept now is an error of the commit, not a file without one.
    @Test func aCheckpointThatFailsIsAskedForAgain() throws {
        try directory.append("a", Self.bytes(0..<3000))
        let fault = OneFault(failing: 0)
        let lane = try DirectoryLane(settings(.tail), roomBytes: 100_000, calls: failingReads(fault))
        try lane.drain()
        let source = try #require(lane.source)
        var position = try #require(lane.positions.first)
        position.offset = lane.lines[2000].offset
        position.line = 2001
        fault.fail(1)
        #expect(throws: UnderstudyError.self) { try source.checkpoint(position) }
        #expect(try source.checkpoint(position)?.offset == position.offset)
    }

    /// Issue row: a followed directory is removed and made again, while the kernel keeps it for an open file's sake.
    @Test(arguments: modes) func aDirectoryMadeAgainIsReadAtOnce(_ mode: Mode) throws {
        try directory.makeDirectory("drops")
        var settings = settings(mode)
        settings.path += "/drops"
        let lane = try DirectoryLane(
            settings, limits: DirectoryLimits(settleNanoseconds: 3_600_000_000_000, retryNanoseconds: 0))
        let writer = try TestFile(directory.path("drops/a"))
        try writer.write("一\n")
        try lane.drain()
        try directory.delete("drops/a")
        try #require(rmdir(directory.path("drops")) == 0)
        try lane.drain()
        try directory.makeDirectory("drops")
        try directory.append("drops/.b", "二\n")
        try directory.rename("drops/.b", "drops/b")
        #expect(try lane.drain().texts.last == "二")
        // Removed and made again before anybody looked.
        try directory.delete("drops/b")
        try #require(rmdir(directory.path("drops")) == 0)
        try directory.makeDirectory("drops")
        try directory.append("drops/.c", "三\n")
        try directory.rename("drops/.c", "drops/c")
        #expect(try lane.drain().texts.last == "三")
        try directory.append("drops/.d", "四\n")
        try directory.rename("drops/.d", "drops/d")
        #expect(try lane.drain().texts.last == "四")
    }

    /// As above, of a directory below, and of one above that is replaced by another.
    @Test func aDirectoryBelowOrAboveMadeAgainIsReadAtOnce() throws {
        try directory.makeDirectory("above")
        try directory.makeDirectory("above/drops")
        try directory.makeDirectory("above/drops/below")
        var settings = settings(.tail, recursive: true)
        settings.path += "/above/drops"
        let lane = try DirectoryLane(
            settings, limits: DirectoryLimits(settleNanoseconds: 3_600_000_000_000, retryNanoseconds: 0))
        let writer = try TestFile(directory.path("above/drops/below/a"))
        try writer.write("一\n")
        try lane.drain()
        try directory.delete("above/drops/below/a")
        try #require(rmdir(directory.path("above/drops/below")) == 0)
        try directory.makeDirectory("above/drops/below")
        try lane.drain()
        try directory.append("above/drops/below/b", "二\n")
        #expect(try lane.drain().texts == ["一", "二"])
        try directory.rename("above", "old")
        try directory.makeDirectory("above")
        try directory.makeDirectory("above/drops")
        try directory.append("above/drops/c", "三\n")
        #expect(try lane.drain().texts == ["一", "二", "三"])
    }
}
