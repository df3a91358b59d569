import Diagnostics
import Foundation
import Glibc
import Streams
import Synchronization
import TestSupport
import Testing

/// Reads a source on this thread until it has given what is asked for.
private func take(_ source: any StreamSource, _ count: Int, room: Int = 65_536) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: room)
    var taken: [UInt8] = []
    while taken.count < count {
        switch try bytes.withUnsafeMutableBytes({ buffer throws in try source.read(into: buffer) }) {
        case .opened: continue
        case .bytes(let count): taken += bytes[..<count]
        case .finished, .torn, .end, .stopped: return taken
        }
    }
    return taken
}

private func take(_ source: any StreamSource, text count: Int) throws -> String {
    String(decoding: try take(source, count), as: UTF8.self)
}

private func put(_ text: String, into path: String) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    _ = write(file, text, text.utf8.count)
    close(file)
}

@Suite(.offPool) struct FIFOSourceTests {
    private let scratch: TemporaryFolder
    private let reports = FlowReports()
    private var path: String { scratch.path + "/wire" }

    init() throws { scratch = try TemporaryFolder() }

    private func source(inherited: Int32? = nil) throws -> FIFOSource {
        try FIFOSource(
            name: "wire", path: path, permissions: 0o622, inherited: inherited, report: reports.report)
    }

    @Test func isMadeWithItsPermissions() throws {
        _ = try source()
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode == S_IFIFO | 0o622)
        chmod(path, 0o600)
        _ = try source()
        #expect(stat(path, &status) == 0 && status.st_mode == S_IFIFO | 0o600)
    }

    /// A second close would close whatever other thread's file has got the number meanwhile.
    @Test func aFailedWatchClosesItsDescriptorOnce() throws {
        let folder = try TemporaryFolder()
        let isOver = LockedFlag()
        let damaged = LockedFlag()
        let others = try (0..<4).map { _ in
            try WorkerThread(name: "opens") {
                while !isOver.isSet {
                    let files = (0..<3).map { _ in Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }
                    for file in files where file < 0 || close(file) != 0 { damaged.set() }
                }
            }
        }
        for _ in 0..<3000 where !damaged.isSet {
            #expect(throws: UnderstudyError.self) { try NameWatch(path: folder.file("missing/pipe")) }
        }
        isOver.set()
        for other in others { other.join() }
        #expect(!damaged.isSet)
    }

    @Test func refusesWhatIsNoFIFO() throws {
        func message() -> UnderstudyError? { #expect(throws: UnderstudyError.self) { try source() } }
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(message()?.code == .configuration && message()?.message.contains("a regular file") == true)
        unlink(path)
        mkdir(path, 0o700)
        #expect(message()?.code == .configuration && message()?.message.contains("a directory") == true)
        rmdir(path)
        symlink("/dev/null", path)
        #expect(message()?.code == .configuration && message()?.message.contains("a device") == true)
        unlink(path)
        let missing = #expect(throws: UnderstudyError.self) {
            try FIFOSource(name: "wire", path: scratch.path + "/none/wire", report: reports.report)
        }
        #expect(missing?.code == .configuration && missing?.message.contains("directory") == true)
        var ends: [Int32] = [-1, -1]
        try #require(Glibc.socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        #expect(throws: UnderstudyError.self) { try source(inherited: ends[0]) }
        for end in ends { close(end) }
    }

    @Test func theLastWriterLeavingIsNotTheEnd() throws {
        let source = try source()
        for text in ["股市\n", "上涨", "了\n"] {
            put(text, into: path)
            #expect(try take(source, text: text.utf8.count) == text)
        }
        source.interrupt()
        put("仍在\n", into: path)
        #expect(try take(source, 1) == [])
        #expect(try take(source, 1) == [])
    }

    @Test func aWaitingReadCanBeInterrupted() throws {
        let source = try source()
        let thread = try WorkerThread(name: "interrupts") { source.interrupt() }
        #expect(try take(source, 1) == [])
        thread.join()
    }

    @Test func originsDifferBetweenRuns() throws {
        func id() throws -> UInt64? {
            guard
                case .opened(let origin) = try source().read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            else { return nil }
            #expect(origin.file == nil && origin.start == 0)
            return origin.identity.id(offset: 0, line: UnsafeBufferPointer(start: nil, count: 0))
        }
        #expect(try id() != id())
    }

    @Test func anInheritedPipeKeepsWhatWasNotRead() throws {
        mkfifo(path, 0o600)
        let held = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { close(held) }
        do {
            let first = try source(inherited: held)
            put("一\n", into: path)
            #expect(try take(first, text: 4) == "一\n")
            put("二\n", into: path)
            first.interrupt()
            #expect(try take(first, 1) == [])
        }
        #expect(try take(source(inherited: held), text: 4) == "二\n")
        #expect(fcntl(held, F_GETFD) >= 0)
    }

    @Test func aReplacedPathIsNoticed() throws {
        let source = try source()
        #expect(try take(source, 0) == [])
        let old = open(path, O_WRONLY | O_CLOEXEC)
        _ = write(old, "旧\n半", 7)
        mkfifo(path + ".new", 0o600)
        rename(path + ".new", path)
        // What the old one holds comes first, then the line that nobody finished is ended.
        #expect(try take(source, text: 7) == "旧\n半")
        _ = write(old, "行", 3)
        #expect(try take(source, text: 3) == "行")
        close(old)
        #expect(try take(source, text: 1) == "\n")
        put("新\n", into: path)
        #expect(try take(source, text: 4) == "新\n")
        #expect(reports.all.count == 1)
    }

    @Test func aRemovedPathIsMadeAgain() throws {
        let source = try source()
        put("甲\n", into: path)
        unlink(path)
        let reader = try Reading(source, until: 8)
        // It is made again only once the reader has been told.
        try waitUntil { access(path, F_OK) == 0 }
        put("乙\n", into: path)
        #expect(reader.wait() == "甲\n乙\n")
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode == S_IFIFO | 0o622)
        #expect(reports.all.map(\.code) == [.missingInput])
    }

    @Test func thoseThatAreGoneAreLetGo() throws {
        let source = try source()
        for round in 0..<20 {
            // With and without something in it.
            if round % 2 == 0 { put("甲\n", into: path) }
            mkfifo(path + ".new", 0o600)
            let writer = open(path + ".new", O_RDWR | O_CLOEXEC)
            _ = write(writer, "乙\n", 4)
            rename(path + ".new", path)
            if round % 2 == 0 { #expect(try take(source, text: 4) == "甲\n") }
            #expect(try take(source, text: 4) == "乙\n")
            close(writer)
        }
        put("丙\n", into: path)
        #expect(try take(source, text: 4) == "丙\n")
        let held = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0))?
                .hasPrefix(path) == true
        }
        #expect(held.count == 1)
    }

    @Test func somethingElseInItsPlaceIsReportedAndOverWhenItGoes() throws {
        let source = try source()
        close(open(path + ".new", O_CREAT | O_WRONLY, 0o600))
        let old = open(path, O_WRONLY | O_CLOEXEC)
        rename(path + ".new", path)
        _ = write(old, "甲\n", 4)
        #expect(try take(source, text: 4) == "甲\n")
        close(old)
        let reader = try Reading(source, until: 4)
        try waitUntil { !reports.all.isEmpty }
        unlink(path)
        try waitUntil { access(path, F_OK) == 0 }
        put("乙\n", into: path)
        #expect(reader.wait() == "乙\n")
        #expect(reports.all.map(\.code) == [.configuration, .missingInput])
    }

    /// A path that can't be examined doesn't mean that the FIFO was replaced.
    @Test func whatCannotBeToldOfThePathIsAskedAgain() throws {
        let source = try source()
        let writer = open(path, O_WRONLY | O_CLOEXEC)
        #expect(rename(path, path + ".old") == 0)
        // A link to itself: stat(2) fails with ELOOP.
        #expect(symlink("wire", path) == 0)
        _ = write(writer, "甲\n", 4)
        #expect(try take(source, text: 4) == "甲\n")
        let reader = try Reading(source, until: 4)
        try waitUntil { reports.all.map(\.code) == [.inputOutput] }
        #expect(rename(path + ".old", path) == 0)
        // What tells is the inode: the FIFO that is held.
        _ = write(writer, "乙\n", 4)
        close(writer)
        #expect(reader.wait() == "乙\n")
        put("丙\n", into: path)
        #expect(try take(source, text: 4) == "丙\n")
        #expect(reports.all.map(\.code) == [.inputOutput])
    }

    @Test func everyLineOfAThousandWritersArrives() throws {
        let source = try source()
        let path = path
        let threads = try (0..<20).map { thread in
            try WorkerThread(name: "writers") {
                for writer in 0..<50 { put("第\(thread * 50 + writer)条新闻\n", into: path) }
            }
        }
        let expected = (0..<1000).map { "第\($0)条新闻" }
        let bytes = expected.reduce(0) { $0 + $1.utf8.count + 1 }
        let lines = String(decoding: try take(source, bytes, room: 1000), as: UTF8.self).split(separator: "\n")
        for thread in threads { thread.join() }
        #expect(Set(lines.map(String.init)) == Set(expected) && lines.count == 1000)
    }
}

@Suite(.offPool) struct StandardInputSourceTests {
    @Test func givesAnOriginThenBytesThenTheEnd() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let source = try StandardInputSource(name: "stdin", descriptor: ends[0])
        _ = write(ends[1], "abc", 3)
        close(ends[1])
        var room = [UInt8](repeating: 0, count: 10)
        var events: [String] = []
        while events.last != "end" {
            switch try room.withUnsafeMutableBytes({ buffer throws in try source.read(into: buffer) }) {
            case .opened(let origin): events.append("opened \(origin.source)")
            case .bytes(let count): events.append(String(decoding: room[..<count], as: UTF8.self))
            case .end: events.append("end")
            case .finished, .torn, .stopped: events.append("?")
            }
        }
        #expect(events == ["opened stdin", "abc", "end"])
        close(ends[0])
    }

    @Test func isInterrupted() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let source = try StandardInputSource(name: "stdin", descriptor: ends[0])
        source.interrupt()
        #expect(try take(source, 1) == [])
        for end in ends { close(end) }
    }
}

/// Takes from a source on a thread of its own.
private final class Reading {
    private let taken = Monitor("")
    private let thread: WorkerThread

    init(_ source: any StreamSource, until count: Int) throws {
        let taken = taken
        thread = try WorkerThread(name: "reads") {
            let text = (try? take(source, text: count)) ?? "failed"
            taken.withLock { $0 = text }
        }
    }

    func wait() -> String {
        thread.join()
        return taken.withLock { $0 }
    }
}

private final class LockedFlag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
