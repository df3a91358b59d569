import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

@Suite struct SinkFileTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()

    init() throws { folder = try TemporaryFolder() }

    private func open(_ name: String = "answers.jsonl") throws -> SinkFile {
        let settings = FileSink.Settings(name: "answers", path: try PathTemplate(folder.file(name)))
        return try FileSink(settings, register: notes.register, report: notes.report)
            .file(label: "", source: "", time: 0)
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
