import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct FileSinkTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()

    init() throws { folder = try TemporaryFolder() }

    private func sink(_ name: String, permissions: UInt32 = 0o640) throws -> FileSink {
        let settings = FileSink.Settings(
            name: "answers", path: try PathTemplate(folder.file(name)), permissions: permissions)
        return FileSink(settings, register: notes.register, report: notes.report)
    }

    private func mode(_ name: String) throws -> mode_t {
        var status = stat()
        try #require(stat(folder.file(name), &status) == 0)
        return status.st_mode & 0o777
    }

    @Test func aFileIsRegisteredBeforeItsFirstByte() throws {
        let path = folder.file("answers.jsonl")
        let sizes = Monitor([off_t]())
        let sink = FileSink(
            .init(name: "answers", path: try PathTemplate(path)),
            register: { _ in
                var status = stat()
                sizes.withLock { $0.append(stat(path, &status) == 0 ? status.st_size : -1) }
            }, report: notes.report)
        for _ in 0..<3 { try sink.file(label: "a", source: "b", time: 0).append("一\n") }
        #expect(sizes.withLock { $0 } == [0])
    }

    @Test func nothingIsWrittenWhereRegisteringFails() throws {
        let sink = FileSink(
            .init(name: "answers", path: try PathTemplate(folder.file("answers.jsonl"))),
            register: { _ throws(UnderstudyError) in throw UnderstudyError(.inputOutput, "the database is locked") },
            report: notes.report)
        #expect(throws: UnderstudyError.self) { try sink.file(label: "", source: "", time: 0) }
        #expect(throws: UnderstudyError.self) { try sink.file(label: "", source: "", time: 0) }
        #expect(folder.bytes(of: "answers.jsonl") == [])
    }

    @Test func whatWasThereIsRegisteredWithItsLength() throws {
        try folder.write("旧\n", to: "answers.jsonl")
        let file = try sink("answers.jsonl").file(label: "", source: "", time: 0)
        #expect(
            notes.registered == [
                SinkLength(
                    sink: "answers", path: file.path, device: file.device, inode: file.inode, length: 4,
                    born: file.born,
                    mark: file.position.mark)
            ])
    }

    @Test func onlyFilesThatItMakesGetItsPermissions() throws {
        try folder.write("", to: "old.jsonl")
        #expect(chmod(folder.file("old.jsonl"), 0o600) == 0)
        _ = try sink("old.jsonl", permissions: 0o666).file(label: "", source: "", time: 0)
        _ = try sink("new.jsonl", permissions: 0o666).file(label: "", source: "", time: 0)
        #expect(try mode("old.jsonl") == 0o600)
        #expect(try mode("new.jsonl") == 0o666)
    }

    @Test func labelsGoToTheirFiles() throws {
        let sink = try sink("{source}-{label}.jsonl")
        #expect(sink.usesLabels)
        for label in ["体育", "财经", "体育", "../x"] {
            try sink.file(label: label, source: "wire", time: 0).append("\(label)\n")
        }
        #expect(folder.bytes(of: "wire-体育.jsonl") == Array("体育\n体育\n".utf8))
        #expect(folder.bytes(of: "wire-财经.jsonl") == Array("财经\n".utf8))
        #expect(folder.bytes(of: "wire-%2E.%2Fx.jsonl") == Array("../x\n".utf8))
    }

    @Test func labelsThatDifferHaveFilesOfTheirOwn() throws {
        let sink = try sink("{label}.jsonl")
        for label in ["a/b", "a_b", "", "_", ".a", "_a"] {
            try sink.file(label: label, source: "", time: 0).append("\(label)\n")
        }
        let names = ["%2Ea.jsonl", "%5F.jsonl", "_.jsonl", "_a.jsonl", "a%2Fb.jsonl", "a_b.jsonl"]
        #expect(folder.names == names)
        #expect(names.map { folder.bytes(of: $0)?.count } == [3, 1, 2, 3, 4, 4])
    }

    @Test func datesAreLocalDays() throws {
        let sink = try sink("{date}.jsonl")
        var noon = tm()
        (noon.tm_year, noon.tm_mon, noon.tm_mday, noon.tm_hour, noon.tm_isdst) = (126, 10, 25, 12, -1)
        let time = mktime(&noon)
        let midnight = time - 12 * 3600
        let moments = [
            (midnight - 1, "24"), (midnight, "25"), (midnight - 1, "24"), (time, "25"), (midnight + 86_399, "25"),
            (midnight + 86_400, "26"), (midnight + 86_399, "25"),
        ]
        for (moment, day) in moments {
            #expect(try sink.file(label: "", source: "", time: moment).path == folder.file("2026-11-\(day).jsonl"))
        }
        #expect(notes.registered.count == 3)
    }

    @Test func directoriesWithPlaceholdersAreMade() throws {
        let sink = try sink("{source}/by/{label}.jsonl")
        try sink.file(label: "体育", source: "wire", time: 0).append("一\n")
        #expect(folder.bytes(of: "wire/by/体育.jsonl") == Array("一\n".utf8))
        #expect(try mode("wire") == 0o750)
        #expect(try mode("wire/by") == 0o750)
    }

    @Test func otherDirectoriesMustBeThere() throws {
        for name in ["missing/answers.jsonl", "missing/{label}/answers.jsonl", "missing/{label}.jsonl"] {
            let error = #expect(throws: UnderstudyError.self) {
                try sink(name).file(label: "a", source: "", time: 0)
            }
            #expect(error?.code == .cannotCreate)
            #expect(error?.description.contains(folder.file("missing")) == true)
        }
        #expect(folder.bytes(of: "missing") == nil)
    }

    @Test func onlyRegularFilesAreTaken() throws {
        #expect(mkfifo(folder.file("fifo"), 0o600) == 0)
        #expect(mkdir(folder.file("directory"), 0o700) == 0)
        #expect(symlink("loop", folder.file("loop")) == 0)
        for name in ["fifo", "directory", "loop"] {
            let error = #expect(throws: UnderstudyError.self) {
                try sink(name).file(label: "", source: "", time: 0)
            }
            #expect(error?.code == .cannotCreate && error?.place == folder.file(name))
        }
        let device = FileSink(
            .init(name: "null", path: try PathTemplate("/dev/null")), register: notes.register, report: notes.report)
        #expect(throws: UnderstudyError.self) { try device.file(label: "", source: "", time: 0) }
        #expect(notes.registered.isEmpty)
    }

    @Test func linksAreFollowed() throws {
        #expect(symlink("real.jsonl", folder.file("link.jsonl")) == 0)
        try sink("link.jsonl").file(label: "", source: "", time: 0).append("一\n")
        #expect(folder.bytes(of: "real.jsonl") == Array("一\n".utf8))
    }

    @Test func aRotatedFileIsWrittenToUntilReopened() throws {
        let sink = try sink("answers.jsonl")
        let old = try sink.file(label: "", source: "", time: 0)
        try old.append("一\n")
        #expect(rename(folder.file("answers.jsonl"), folder.file("answers.jsonl.1")) == 0)
        try sink.file(label: "", source: "", time: 0).append("二\n")
        sink.reopen()
        let new = try sink.file(label: "", source: "", time: 0)
        try new.append("三\n")
        // Undoing and committing the old file goes on for as long as somebody holds it.
        try old.append("四\n")
        try old.cut(to: 8)
        try old.synchronise()
        #expect(folder.bytes(of: "answers.jsonl.1") == Array("一\n二\n".utf8))
        #expect(folder.bytes(of: "answers.jsonl") == Array("三\n".utf8))
        #expect(notes.registered.map(\.length) == [0, 0])
    }

    @Test func aFileThatIsStillThereKeepsItsLengthThroughReopening() throws {
        let sink = try sink("answers.jsonl")
        let file = try sink.file(label: "", source: "", time: 0)
        try file.append("not committed\n")
        sink.reopen()
        #expect(try sink.file(label: "", source: "", time: 0) === file)
        // Registering it again would have declared bytes committed that aren't.
        #expect(notes.registered.map(\.length) == [0])
    }

    @Test func twoPathsToOneFileAreOneFile() throws {
        #expect(symlink("a.jsonl", folder.file("b.jsonl")) == 0)
        let sink = try sink("{label}.jsonl")
        let one = try sink.file(label: "a", source: "", time: 0)
        #expect(try sink.file(label: "b", source: "", time: 0) === one)
        #expect(notes.registered.count == 1)
    }

    @Test func idleFilesAreClosedAndHeldOnesAreNot() throws {
        let sink = try sink("{label}.jsonl")
        let held = try sink.file(label: "held", source: "", time: 0)
        try held.append("一\n")
        for index in 0..<200 { _ = try sink.file(label: "\(index)", source: "", time: 0) }
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
            .filter { $0.hasPrefix(folder.path) }
        #expect(open.count <= 64)
        #expect(try sink.file(label: "held", source: "", time: 0) === held)
    }

    /// A process that is being started shares all open files for a moment; a file mustn't stay locked for that.
    @Test func aStartingProcessDoesNotKeepAFileLocked() throws {
        let shared: SharedDescriptor
        do {
            let sink = try sink("answers.jsonl")
            try sink.file(label: "", source: "", time: 0).append("一\n")
            shared = try #require(SharedDescriptor(path: folder.file("answers.jsonl")))
        }
        try sink("answers.jsonl").file(label: "", source: "", time: 0).append("二\n")
        withExtendedLifetime(shared) {}
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n二\n".utf8))
    }

    /// A file whose taken back bytes can't be cut off for a moment isn't forgotten: opened anew, it would keep them.
    @Test(arguments: [true, false]) func aFileThatCannotBeCutIsKept(byReopening: Bool) throws {
        let fails = Monitor(false)
        var settings = FileSink.Settings(name: "answers", path: try PathTemplate(folder.file("{label}.jsonl")))
        let status = settings.calls.status
        settings.calls.status = { fails.withLock { $0 } ? EIO : status($0, &$1) }
        let sink = FileSink(settings, register: notes.register, report: notes.report)
        do {
            let file = try sink.file(label: "a", source: "", time: 0)
            try file.append("一\n")
            let before = file.length
            try file.append("二\n")
            fails.withLock { $0 = true }
            #expect(throws: UnderstudyError.self) { try file.cut(to: before) }
        }
        if byReopening { sink.reopen() } else { sink.releaseIdle() }
        fails.withLock { $0 = false }
        // Another file, so that the sink looks after the ones it has released.
        _ = try sink.file(label: "b", source: "", time: 0)
        try sink.file(label: "a", source: "", time: 0).append("三\n")
        #expect(folder.bytes(of: "a.jsonl") == Array("一\n三\n".utf8))
    }

    @Test func aDeletedFileIsLetGo() throws {
        let sink = try sink("answers.jsonl")
        try sink.file(label: "", source: "", time: 0).append("一\n")
        #expect(unlink(folder.file("answers.jsonl")) == 0)
        sink.reopen()
        try sink.file(label: "", source: "", time: 0).append("二\n")
        #expect(folder.bytes(of: "answers.jsonl") == Array("二\n".utf8))
    }
}
