import Diagnostics
import Foundation
import Models
import TestSupport
import Testing

@Suite struct ModelDirectoryTests {
    private let folder: TemporaryFolder
    private var target: String { folder.file("student") }

    init() throws { folder = try TemporaryFolder(inMemory: false) }

    private func publish(_ text: String, replacing: Bool, to path: String? = nil) throws(UnderstudyError) {
        try ModelDirectory.publish(to: path ?? target, replacing: replacing) { (staging) throws(UnderstudyError) in
            write(text, to: staging + "/config.json")
            write(text, to: staging + "/model.safetensors")
        }
    }

    private func write(_ text: String, to path: String) {
        #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
    }

    private func content(_ name: String = "config.json") -> String? {
        FileManager.default.contents(atPath: target + "/" + name).map { String(decoding: $0, as: UTF8.self) }
    }

    private func entries() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path) }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func publishesReadableToAll() throws {
        try publish("one", replacing: false)
        #expect(content() == "one")
        #expect(try entries() == ["student"])
        #expect(try permissions(target) == 0o755)
        #expect(try permissions(target + "/config.json") == 0o644)
    }

    @Test func keepsAnExistingModelUnlessAsked() throws {
        try publish("one", replacing: false)
        let error = try #require(throws: UnderstudyError.self) { try publish("two", replacing: false) }
        #expect(error.code == .cannotCreate)
        #expect(error.place == target)
        #expect(content() == "one")
        try publish("two", replacing: true, to: target + "/")
        #expect(content() == "two")
        #expect(try entries() == ["student"])
    }

    @Test func takesTheOldModelAwayWhole() throws {
        try publish("one", replacing: false)
        write("old", to: target + "/metrics.json")
        try FileManager.default.createDirectory(atPath: target + "/deep/er", withIntermediateDirectories: true)
        try publish("two", replacing: true)
        #expect(content("metrics.json") == nil)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: target).sorted() == [
                "config.json", "model.safetensors",
            ])
    }

    @Test func takesTheSeatOfAnEmptyDirectory() throws {
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try publish("one", replacing: false)
        #expect(content() == "one")
    }

    @Test func neverReplacesWhatIsNoModel() throws {
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        write("precious", to: target + "/thesis.txt")
        let error = try #require(throws: UnderstudyError.self) { try publish("two", replacing: true) }
        #expect(error.code == .cannotCreate)
        #expect(content("thesis.txt") == "precious")
        try FileManager.default.removeItem(atPath: target)
        write("a file", to: target)
        #expect(throws: UnderstudyError.self) { try publish("two", replacing: true) }
        try FileManager.default.removeItem(atPath: target)
        try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: folder.path)
        #expect(throws: UnderstudyError.self) { try publish("two", replacing: true) }
    }

    @Test func aFailedWriteLeavesNothing() throws {
        try publish("one", replacing: false)
        #expect(throws: UnderstudyError(.inputOutput, "the disk is full")) {
            try ModelDirectory.publish(to: target, replacing: true) { (staging) throws(UnderstudyError) in
                write("half", to: staging + "/config.json")
                throw UnderstudyError(.inputOutput, "the disk is full")
            }
        }
        #expect(content() == "one")
        #expect(try entries() == ["student"])
    }

    @Test func nothingHalfWrittenIsVisible() throws {
        try ModelDirectory.publish(to: target, replacing: false) { (staging) throws(UnderstudyError) in
            write("half", to: staging + "/config.json")
            #expect(!FileManager.default.fileExists(atPath: target))
            #expect(staging.contains("/.student."))
        }
    }

    @Test func removesWhatKilledRunsLeftAndNothingElse() throws {
        for name in [".student.123.partial", ".student.x.partial", ".student.old", ".student.v2.7.partial"] {
            try FileManager.default.createDirectory(
                atPath: folder.file(name) + "/inner", withIntermediateDirectories: true)
        }
        try publish("one", replacing: false)
        #expect(try Set(entries()) == ["student", ".student.x.partial", ".student.old", ".student.v2.7.partial"])
    }

    @Test func leavesTheStagingOfARunThatLivesAlone() throws {
        try ModelDirectory.publish(to: target, replacing: false) { (staging) throws(UnderstudyError) in
            try publish("inner", replacing: false, to: folder.file("student"))
            #expect(FileManager.default.fileExists(atPath: staging))
            write("outer", to: staging + "/config.json")
            // The inner one came first; the outer one may not replace it.
            try? FileManager.default.removeItem(atPath: target)
        }
        #expect(content() == "outer")
    }

    @Test func aParentThatIsMissingIsNamed() throws {
        let error = try #require(throws: UnderstudyError.self) {
            try publish("one", replacing: false, to: folder.file("no/where"))
        }
        #expect(error.code == .cannotCreate)
        #expect(error.place == folder.file("no/where"))
    }

    @Test func checksWhatIsNoModelDirectory() throws {
        for path in [folder.file("absent"), folder.path, try folder.write("x", to: "file")] {
            let error = try #require(throws: UnderstudyError.self) { try ModelDirectory.check(path) }
            #expect(error.code == .missingInput)
            #expect(error.place == path)
        }
    }
}
