import CFiles
import Diagnostics
import Foundation
import Glibc
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct SinkFileTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()

    init() throws { folder = try TemporaryFolder() }

    private func sink(_ name: String = "answers.jsonl", _ calls: SinkCalls = SinkCalls()) throws -> FileSink {
        var settings = FileSink.Settings(name: "answers", path: try PathTemplate(folder.file(name)))
        settings.calls = calls
        let keeping = SinkKeeping(
            journal: try AppendJournal(directory: folder.path), aside: SetAside(stateDirectory: folder.path))
        return FileSink(settings, keeping: keeping, register: notes.register, report: notes.report)
    }

    private func open(_ name: String = "answers.jsonl", _ calls: SinkCalls = SinkCalls()) throws -> SinkFile {
        try sink(name, calls).file(label: "", source: "", time: 0)
    }

    private func append(_ text: String, by other: String) throws {
        let descriptor = Glibc.open(other, O_WRONLY | O_APPEND)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(write(descriptor, text, text.utf8.count) == text.utf8.count)
    }

    private func text(_ name: String = "answers.jsonl") -> String {
        String(decoding: folder.bytes(of: name) ?? [], as: UTF8.self)
    }

    @Test func appendsBehindWhatIsThere() throws {
        try folder.write("旧\n", to: "answers.jsonl")
        let file = try open()
        #expect(file.length == 4)
        try file.append("新\n")
        #expect(file.length == 8)
        #expect(folder.bytes(of: "answers.jsonl") == Array("旧\n新\n".utf8))
    }

    @Test func anAppendCanBeTakenBack() throws {
        let file = try open()
        try file.append("一\n")
        let length = file.length
        try file.append("二\n")
        try file.cut(to: length)
        try file.append("三\n")
        #expect(folder.bytes(of: "answers.jsonl") == Array("一\n三\n".utf8))
    }

    @Test func aCutNeverMakesTheFileLonger() throws {
        let file = try open()
        try file.append("一\n")
        try file.cut(to: 1000)
        #expect(file.length == 4)
        #expect(folder.bytes(of: "answers.jsonl")?.count == 4)
    }

    /// The largest file of a file system stands for a full disk: the write begins well and then fails.
    @Test(.enabled(if: LargestFile.bytes != nil, "the file system of temporary files has no largest file"))
    func aWriteThatFailsMidwayLeavesNothing() throws {
        let size = try #require(LargestFile.bytes) - 10
        let path = NSTemporaryDirectory() + "/understudy-largest-" + UUID().uuidString
        try Data().write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        try #require(truncate(path, size) == 0)
        let sink = FileSink(
            .init(name: "answers", path: try PathTemplate(path)), register: notes.register, report: notes.report)
        let file = try sink.file(label: "", source: "", time: 0)
        let error = #expect(throws: UnderstudyError.self) { try file.append("more than ten bytes\n") }
        #expect(error?.code == .noSpace && error?.place == path)
        #expect(error?.message.contains("no space left") == true)
        #expect(file.length == UInt64(size))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_size == size)
        try file.append("fits\n")
    }

    @Test(.enabled(if: SmallDisk.isPossible, "only root may mount a file system"))
    func aFullDiskIsSurvived() throws {
        let disk = try SmallDisk()
        let template = try PathTemplate(disk.path + "/answers.jsonl")
        let sink = FileSink(.init(name: "answers", path: template), register: notes.register, report: notes.report)
        let file = try sink.file(label: "", source: "", time: 0)
        let record = [UInt8](repeating: UInt8(ascii: "x"), count: 5000) + [UInt8(ascii: "\n")]
        var written: UInt64 = 0
        var failure: UnderstudyError?
        while failure == nil, written < 2 << 20 {
            do throws(UnderstudyError) {
                try record.withUnsafeBufferPointer { bytes throws(UnderstudyError) in try file.append(bytes) }
                written += UInt64(record.count)
            } catch {
                failure = error
            }
        }
        #expect(failure?.code == .noSpace)
        #expect(failure?.description.hasPrefix("\(template.text): ") == true)
        #expect(failure?.message.contains("no space left") == true)
        #expect(file.length == written)
        var status = stat()
        #expect(stat(template.text, &status) == 0 && status.st_size == written)
        // It goes on by itself when there is room again.
        try file.cut(to: UInt64(record.count))
        try file.append(record)
        #expect(file.length == UInt64(2 * record.count))
    }

    @Test func aTruncationBySomebodyElseIsNoticed() throws {
        let file = try open()
        try file.append("一二三四\n")
        try file.synchronise()
        try #require(truncate(file.path, 0) == 0)
        try file.append("五\n")
        #expect(file.length == 4)
        #expect(folder.bytes(of: "answers.jsonl") == Array("五\n".utf8))
        #expect(notes.reported.count == 1)
        #expect(notes.reported.first?.message.contains("truncated") == true)
        // What was read of it since then can be gone back to.
        let length = file.length
        try file.append("六\n")
        try file.cut(to: length)
        #expect(folder.bytes(of: "answers.jsonl") == Array("五\n".utf8))
    }

    @Test func theLengthIsSettledBeforeItIsRead() throws {
        let file = try open()
        try file.append("一二三四\n")
        try file.synchronise()
        try #require(truncate(file.path, 0) == 0)
        let length = file.length
        #expect(length == 0)
        try file.append("五\n")
        try file.cut(to: length)
        #expect(folder.bytes(of: "answers.jsonl")?.isEmpty == true)
    }

    @Test func bytesOfSomebodyElseAreNotTakenForOurs() throws {
        let file = try open()
        try file.append("一\n")
        try file.synchronise()
        let other = Glibc.open(file.path, O_WRONLY | O_APPEND)
        try #require(other >= 0)
        #expect(write(other, "x\n", 2) == 2)
        close(other)
        try file.append("二\n")
        #expect(file.length == 10)
        #expect(notes.reported.first?.message.contains("2 bytes") == true)
    }

    // MARK: Other programs

    /// Between two appends of one commit interval: what is committed covers all bytes, and a taken-back record takes
    /// nobody else's with it.
    @Test func bytesOfOthersWithinAnIntervalAreNeitherCutNorMiscounted() throws {
        let file = try open()
        try file.append("一\n")
        try append("by hand\n", by: file.path)
        let before = file.length
        try file.append("二\n")
        #expect(file.position.length == 16)
        try file.cut(to: before)
        #expect(text() == "一\nby hand\n" || text() == "一\nby hand\n二\n")
        try file.append("三\n")
        try append("behind\n", by: file.path)
        try file.cut(to: file.length - 4)
        #expect(text().contains("by hand\n") && text().hasSuffix("behind\n"))
        #expect(file.position.length == UInt64(text().utf8.count))
    }

    @Test func everyRecordBeginsALine() throws {
        try folder.write("no newline", to: "answers.jsonl")
        let file = try open()
        #expect(file.length == 10)
        try file.append("一\n")
        #expect(text() == "no newline\n一\n" && file.length == 15)
        // Taken back with its newline, and written again.
        try file.cut(to: 10)
        #expect(text() == "no newline")
        try file.append("二\n")
        #expect(text() == "no newline\n二\n")
        // Within an interval, seen only by where the record came to be.
        try append("half", by: file.path)
        try file.append("三\n")
        #expect(text() == "no newline\n二\nhalf\n三\n")
        #expect(file.position.length == UInt64(text().utf8.count))
    }

    @Test func aRecordThatAnotherProgramHasTornIsSetAside() throws {
        let file = try open()
        try file.append("第一条\n第二条\n")
        try file.synchronise()
        try #require(truncate(file.path, 15) == 0)
        try file.append("三\n")
        #expect(text() == "第一条\n三\n")
        let moved = try #require(try? FileManager.default.contentsOfDirectory(atPath: folder.file("set-aside")).first)
        #expect(folder.bytes(of: "set-aside/" + moved) == Array(Array("第二条\n".utf8)[..<5]))
        #expect(notes.count("its 5 bytes were moved to") == 1)
    }

    @Test func theMarkIsThatOfTheBytesInTheFile() throws {
        let file = try open()
        for size in [3, 500, 600, 2000, 1, 5000] {
            try file.append(String(repeating: "x", count: size) + "\n")
            let kept = file.position
            var mark = FileMark()
            Array(text().utf8).withUnsafeBytes { mark.append($0) }
            #expect(kept.mark == mark.hash(born: 0) && kept.length == mark.offset)
            // Also where it has to be read again.
            try file.append("taken back\n")
            try file.cut(to: kept.length)
            #expect(file.position.mark == kept.mark)
        }
    }

    @Test func aFileHasOneWriter() throws {
        let first = try open()
        try first.append("一\n")
        let error = #expect(throws: UnderstudyError.self) { try self.open() }
        #expect(error?.code == .tryAgain && error?.place == first.path)
        #expect(error?.message.contains("another sink of this daemon") == true)
        // The lock goes with the file when that is rotated.
        #expect(rename(first.path, first.path + ".1") == 0)
        _ = try open()
        #expect(throws: UnderstudyError.self) { try self.open("answers.jsonl.1") }
    }

    @Test func theProcessThatHasAFileIsNamed() throws {
        try folder.write("", to: "answers.jsonl")
        // flock(1) holds the lock while its command runs.
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        other.arguments = ["flock", folder.file("answers.jsonl"), "sh", "-c", "echo locked; read line"]
        let (input, output) = (Pipe(), Pipe())
        (other.standardInput, other.standardOutput) = (input, output)
        try other.run()
        defer { other.waitUntilExit() }
        defer { input.fileHandleForWriting.closeFile() }
        try #require(output.fileHandleForReading.readData(ofLength: 7).count == 7)
        let error = #expect(throws: UnderstudyError.self) { try self.open() }
        #expect(
            error?.message.contains("process \(other.processIdentifier) has locked the file of sink answers") == true)
    }

    @Test func aFileSystemWithoutLocksIsWarnedOf() throws {
        var calls = SinkCalls()
        calls.lock = { _ in EOPNOTSUPP }
        try open("a", calls).append("一\n")
        #expect(notes.count("has no locks") == 1)
        calls.lock = { _ in ENOLCK }
        let error = #expect(throws: UnderstudyError.self) { try self.open("b", calls) }
        #expect(error?.code == .tryAgain)
    }

    // MARK: Deleted

    @Test func aFileThatIsDeletedIsMadeAnew() throws {
        let sink = try sink()
        let old = try sink.file(label: "", source: "", time: 0)
        try old.append("committed\n")
        try old.synchronise()
        old.committed(old.position.length)
        #expect(try sink.replace(old) == nil)
        try old.append("一\n")
        #expect(unlink(old.path) == 0)
        try old.append("二\n")
        #expect(old.position.isDeleted)
        let new = try #require(try sink.replace(old))
        #expect(text() == "一\n二\n" && new.length == 8)
        #expect(try sink.file(label: "", source: "", time: 0) === new)
        #expect(notes.count("was deleted while it was in use") == 1 && notes.count("with the 8 uncommitted bytes") == 1)
        // Another file that was put there has its own lines before ours.
        #expect(unlink(new.path) == 0)
        try folder.write("others\n", to: "answers.jsonl")
        #expect(new.position.isDeleted)
        _ = try sink.replace(new)
        #expect(text() == "others\n一\n二\n")
    }

    /// The next line after a commit goes to the new file at once.
    @Test func aDeletedFileIsNotAppendedToAfterACommit() throws {
        let sink = try sink()
        let old = try sink.file(label: "", source: "", time: 0)
        try old.append("一\n")
        #expect(unlink(old.path) == 0)
        #expect(old.position.isDeleted)
        try sink.file(label: "", source: "", time: 0).append("二\n")
        #expect(text() == "二\n")
        // What the old one had is taken over when the commit comes to it.
        _ = try sink.replace(old)
        #expect(text() == "二\n一\n")
    }

    // MARK: System calls that fail

    /// Answers each call with the errno that comes next, and with 0 when there is none.
    private final class Script: Sendable {
        private let numbers: Monitor<[Int32]>
        init(_ numbers: [Int32]) { self.numbers = Monitor(numbers) }
        var next: Int32 { numbers.withLock { $0.isEmpty ? 0 : $0.removeFirst() } }
    }

    @Test(arguments: [ENOSPC, EDQUOT]) func wantOfRoomAtTheDiskPasses(_ number: Int32) throws {
        var calls = SinkCalls()
        let script = Script([number, number])
        calls.synchronise = { _ in script.next }
        let file = try open("answers.jsonl", calls)
        try file.append("一\n")
        try append("by hand\n", by: file.path)
        try file.append("二\n")
        for _ in 0..<2 {
            let error = #expect(throws: UnderstudyError.self) { try file.synchronise() }
            #expect(error?.code == .noSpace && !file.hasFailed)
        }
        try file.synchronise()
        // Written again in their places, and appending goes on.
        try file.append("三\n")
        #expect(text() == "一\nby hand\n二\n三\n")
    }

    /// What isn't in memory any more as it was written can't be written again.
    @Test func aLostPageAfterWantOfRoomIsFinal() throws {
        var calls = SinkCalls()
        let script = Script([ENOSPC])
        calls.synchronise = { _ in script.next }
        let file = try open("answers.jsonl", calls)
        try file.append("一\n")
        #expect(throws: UnderstudyError.self) { try file.synchronise() }
        try folder.write("\0\0\0\0", to: "other")
        let other = Glibc.open(file.path, O_WRONLY)
        #expect(pwrite(other, "\0\0\0\0", 4, 0) == 4)
        close(other)
        for _ in 0..<2 {
            let error = #expect(throws: UnderstudyError.self) { try file.synchronise() }
            #expect(error?.code == .inputOutput && file.hasFailed)
        }
    }

    @Test func anErrorOfTheDiskIsFinalAndAnInterruptionIsNone() throws {
        var calls = SinkCalls()
        let script = Script([EINTR, EIO])
        calls.synchronise = { _ in script.next }
        let file = try open("answers.jsonl", calls)
        try file.append("一\n")
        for _ in 0..<2 {
            let error = #expect(throws: UnderstudyError.self) { try file.synchronise() }
            #expect(error?.code == .inputOutput)
        }
        #expect(file.hasFailed)
    }

    /// A look that fails says nothing about the file: it is made again, and nothing is cut meanwhile.
    @Test func aFailedLookIsRepeated() throws {
        var calls = SinkCalls()
        let fails = Monitor(false)
        calls.status = { fails.withLock { $0 } ? EIO : understudy_status_of_descriptor($0, &$1) }
        let file = try open("answers.jsonl", calls)
        try file.append("一二三四\n")
        try file.synchronise()
        try #require(truncate(file.path, 0) == 0)
        fails.withLock { $0 = true }
        #expect(file.length == 13 && notes.reported.isEmpty)
        #expect(throws: UnderstudyError.self) { try file.cut(to: 0) }
        fails.withLock { $0 = false }
        #expect(file.length == 0)
    }
}

/// The largest size that a file may have where temporary files are; nil where only the kernel's own limit counts.
enum LargestFile {
    static let bytes: off_t? = {
        let path = NSTemporaryDirectory() + "/understudy-largest-" + UUID().uuidString
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { return nil }
        defer {
            close(descriptor)
            unlink(path)
        }
        var (possible, impossible): (off_t, off_t) = (0, off_t.max)
        guard ftruncate(descriptor, impossible) != 0 else { return nil }
        while impossible - possible > 1 {
            let middle = possible + (impossible - possible) / 2
            if ftruncate(descriptor, middle) == 0 { possible = middle } else { impossible = middle }
        }
        return possible > 4096 ? possible : nil
    }()
}

/// A file system of 1 MiB, which only root can have.
final class SmallDisk {
    let path: String

    static var isPossible: Bool { (try? SmallDisk()) != nil }

    init() throws {
        path = NSTemporaryDirectory() + "/understudy-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        do {
            try Self.run("mount", "-t", "tmpfs", "-o", "size=1m", "understudy", path)
        } catch {
            rmdir(path)
            throw error
        }
    }

    deinit {
        // Lazily: descriptors of the test may still be open.
        try? Self.run("umount", "-l", path)
        rmdir(path)
    }

    private static func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw UnderstudyError(.cannotCreate, "no small disk") }
    }
}
