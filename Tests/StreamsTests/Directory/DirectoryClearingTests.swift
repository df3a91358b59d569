import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// What becomes of files that are answered, and of what is kept for files that are gone.
@Suite(.offPool) struct DirectoryClearingTests {
    let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func lane(_ after: DirectorySource.Settings.After, recursive: Bool = false) throws -> DirectoryLane {
        try DirectoryLane(
            DirectorySource.Settings(name: "drops", path: directory.path, recursive: recursive, after: after))
    }

    @Test func answeredFilesAreDeleted() throws {
        let lane = try lane(.delete)
        try directory.append("a", "一\n")
        try lane.drain()
        #expect(directory.names() == ["a"])
        lane.commit()
        #expect(directory.names().isEmpty && lane.kept.isEmpty)
        #expect(try lane.drain().opened.count == 1)
    }

    @Test func answeredFilesAreMovedAndNeverOverwriteOthers() throws {
        let lane = try lane(.move(to: directory.path("done/")), recursive: true)
        try directory.makeDirectory("x")
        for text in ["一\n", "二\n", "三\n"] {
            try directory.append("a", text)
            try directory.append("x/a", text)
            try lane.drain()
            lane.commit()
        }
        #expect(lane.texts.sorted() == ["一", "一", "三", "三", "二", "二"])
        #expect(
            directory.names("done") == ["a", "a.1", "a.2", "x"] && directory.names("done/x") == ["a", "a.1", "a.2"])
        #expect(try directory.text("done/a.1") == "二\n")
        #expect(lane.kept.isEmpty)
        try lane.restart()
        #expect(try lane.drain().opened.isEmpty)
    }

    /// A power cut could bring back a deleted file whose checkpoint is gone, and it would be answered again.
    @Test func aCheckpointGoesOnceTheDirectoryIsForcedToTheDisk() throws {
        let forced = Monitor<[String]>([])
        var calls = DirectoryCalls()
        calls.synchronise = { path in
            forced.withLock { forced in
                forced.append(path)
                return forced.count == 1 ? EIO : 0
            }
        }
        let settings = DirectorySource.Settings(name: "drops", path: directory.path, after: .delete)
        let lane = try DirectoryLane(settings, calls: calls)
        try directory.append("a", "一\n")
        try lane.drain()
        lane.commit()
        #expect(directory.names().isEmpty)
        #expect(lane.kept.count == 1)
        try directory.append("b", "二\n")
        try lane.drain()
        lane.commit()
        #expect(directory.names().isEmpty && lane.kept.isEmpty)
        #expect(forced.withLock { $0 } == [directory.path, directory.path])
    }

    @Test func aFileIsMovedAcrossFileSystems() throws {
        guard let other = FileSystemElsewhere() else { return }
        let lane = try lane(.move(to: other.path + "/done"))
        try directory.append("a", "一\n二")
        directory.age("a", seconds: 1000)
        try lane.drain()
        lane.commit()
        #expect(directory.names().isEmpty && TestDirectory.names(in: other.path + "/done") == ["a"])
    }

    @Test func whatWasAppendedMeanwhileIsReadFirst() throws {
        let lane = try lane(.delete)
        try directory.append("a", "一\n")
        try lane.drain()
        try directory.append("a", "二\n")
        lane.commit()
        #expect(directory.names() == ["a"])
        try lane.drain()
        #expect(lane.texts == ["一", "二"])
        lane.commit()
        #expect(directory.names().isEmpty)
    }

    @Test func aFileThatMayHaveAWriterIsNotDeletedUnderIt() throws {
        let file = try TestFile(directory.path("a"))
        try file.write("一\n")
        let settings = DirectorySource.Settings(name: "drops", path: directory.path, after: .delete)
        let lane = try DirectoryLane(settings, limits: DirectoryLimits())
        try lane.drain()
        lane.commit()
        try file.write("二\n")
        try directory.append("a", "三\n")
        try lane.drain()
        lane.commit()
        #expect(lane.texts == ["一", "二", "三"] && directory.names().isEmpty)
    }

    @Test func aFileThatWasAnsweredBeforeACrashIsClearedAwayAtTheStart() throws {
        let lane = try lane(.delete)
        try directory.append("a", "一\n")
        try directory.append("b", "二\n")
        try lane.drain()
        // The transaction is durable, and the process dies before it deletes anything.
        for position in lane.positions { try lane.keepOnly(position) }
        #expect(directory.names() == ["a", "b"])
        try lane.restart { try directory.append("b", "三\n") }
        #expect(try lane.drain().texts == ["三"])
        #expect(directory.names() == ["b"])
        lane.commit()
        #expect(directory.names().isEmpty && lane.kept.isEmpty)
    }

    /// Pitfalls row 13.
    @Test func whatIsKeptForGoneFilesIsForgotten() throws {
        let lane = try lane(.keep)
        for name in ["a", "b", "c"] { try directory.append(name, "\(name)\n") }
        try lane.drain()
        try directory.delete("a")
        try lane.drain()
        #expect(lane.source?.takeForgotten().isEmpty == true)
        lane.commit()
        #expect(Set(lane.kept.values.map(\.path)) == [directory.path("b"), directory.path("c")])
        try directory.rename("b", "d")
        try lane.drain()
        lane.commit()
        #expect(lane.kept.count == 2)
        try directory.delete("d")
        try lane.drain()
        lane.commit()
        #expect(lane.kept.values.map(\.path) == [directory.path("c")])
        try lane.restart { try directory.delete("c") }
        #expect(lane.kept.isEmpty)
    }

    /// Pitfalls row 14.
    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func deletedFilesAreLetGo(_ mode: DirectorySource.Settings.Mode) throws {
        let lane = try DirectoryLane(DirectorySource.Settings(name: "drops", path: directory.path, mode: mode))
        for round in 0..<20 { try directory.append("\(round)", "第\(round)条\n余下") }
        try lane.drain()
        for round in 0..<20 { try directory.delete("\(round)") }
        try lane.drain()
        lane.commit()
        #expect(lane.texts.count == 40 && directory.openDescriptors == 0 && lane.kept.isEmpty)
    }

    /// Pitfalls row 14.
    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func openDescriptorsAreBounded(_ mode: DirectorySource.Settings.Mode) throws {
        let lane = try DirectoryLane(
            DirectorySource.Settings(name: "drops", path: directory.path, mode: mode),
            limits: DirectoryLimits(heldFiles: 8, settleNanoseconds: 0))
        for round in 0..<3 {
            for file in 0..<100 { try directory.append("\(file)", "第\(file)条，第\(round)回\n") }
            try lane.drain()
            #expect(directory.openDescriptors <= 9)
        }
        #expect(lane.texts.count == 300)
        let middle = try #require(lane.opened.first)
        try lane.keep(SourcePosition(origin: middle, offset: 0, line: 1))
        lane.commit()
        try lane.restart { try directory.append("50", "又一条\n") }
        #expect(try lane.drain().texts == ["又一条"])
    }

    /// Pitfalls row 13.
    @Test func aFileWithTwoNamesIsOneFile() throws {
        let lane = try lane(.keep)
        try directory.append("a", "一\n")
        try lane.drain()
        link(directory.path("a"), directory.path("b"))
        try lane.drain()
        try directory.delete("a")
        try lane.drain()
        lane.commit()
        #expect(lane.texts == ["一"] && lane.kept.count == 1)
        try directory.append("b", "二\n")
        #expect(try lane.drain().texts == ["一", "二"])
        try directory.delete("b")
        try lane.drain()
        lane.commit()
        #expect(lane.kept.isEmpty)
    }

    @Test func aDeviceMayHaveAnotherNumberAfterAReboot() throws {
        let lane = try lane(.keep)
        for name in ["a", "b"] { try directory.append(name, "一\n二\n") }
        try lane.drain()
        lane.commit()
        lane.renumberDevices(by: 1)
        try lane.restart {
            try directory.rename("a", "c")
            try directory.append("b", "三\n")
        }
        #expect(try lane.drain().texts == ["三"])
        lane.commit()
        #expect(lane.kept.count == 2)
    }

    @Test func whatCannotBeMovedIsReportedAndKept() throws {
        try directory.append("file", "一\n")
        let lane = try lane(.move(to: directory.path("file/done")))
        try lane.drain()
        lane.commit()
        #expect(lane.reported.map(\.code) == [.inputOutput] && directory.names() == ["file"])
        try lane.restart()
        #expect(try lane.drain().texts.isEmpty)
    }
}

/// A directory on another file system than /tmp, if there is one.
private final class FileSystemElsewhere {
    let path: String

    init?() {
        var template = Array("/dev/shm/understudy-directory-XXXXXX".utf8CString)
        var temporary = stat()
        var shared = stat()
        guard stat("/tmp", &temporary) == 0, stat("/dev/shm", &shared) == 0, temporary.st_dev != shared.st_dev,
            let made = template.withUnsafeMutableBufferPointer({
                $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            })
        else { return nil }
        path = made
    }

    deinit {
        for name in TestDirectory.names(in: path + "/done") { unlink(path + "/done/" + name) }
        rmdir(path + "/done")
        rmdir(path)
    }
}
