import Configuration
import Diagnostics
import Foundation
import TestSupport
import Testing

/// Files as a whole, and the environment.
@Suite struct ConfigurationFileTests {
    private func refusal(_ path: String) -> String? {
        do {
            _ = try ConfigurationFile.load(path: path, environment: [:])
            return nil
        } catch {
            #expect(error.summary.code == .configuration)
            return error.description
        }
    }

    @Test func filesThatCannotBeReadAreConfigurationErrors() throws {
        let folder = try TemporaryFolder()
        let missing = folder.file("no.yaml")
        #expect(refusal(missing) == "\(missing): error: the file can't be opened: no such file or directory")
        #expect(refusal(folder.path) == "\(folder.path): error: the file can't be read: is a directory")
        let file = try folder.write(Data(count: ConfigurationFile.mostBytes + 1), to: "a.yaml")
        #expect(refusal(file) == "\(file): error: the file is larger than 1048576 bytes")
        try folder.write(least, to: "a.yaml")
        #expect(refusal(file) == nil)
        try folder.write("", to: "a.yaml")
        #expect(refusal(file) == "\(file):1:1: error: the file is empty; it needs sources and sinks\n\n^")
    }

    @Test func aFileMayBeAsLargeAsTheBound() {
        let padding = String(repeating: "#", count: ConfigurationFile.mostBytes - least.utf8.count)
        #expect(errors(least + padding) == [])
        #expect(errors(least + padding + "#") == ["0:0: the file is larger than 1048576 bytes"])
    }

    @Test func byteOrderMarksAndLineEndsOfOtherSystemsAreRead() {
        #expect(errors("\u{FEFF}" + least) == [])
        #expect(errors(least.replacing("\n", with: "\r\n")) == [])
        #expect(
            errors("\u{FEFF}lag:\r\n" + least) == [
                "1:1: 'lag' isn't an option of the configuration; did you mean 'log'?"
            ])
        #expect(errors([0xFF, 0xFE] + least.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }).count == 1)
    }

    @Test func theEnvironmentFillsPaths() throws {
        let environment = ["A": "/a", "B_2": "b", "EMPTY": "", "LABEL": "{label}", "STATE_DIRECTORY": "/s/one:/s/two"]
        let read = try settings(
            least + "models: {student: '${A}/${B_2}/$$x', teacher: /t}\n", environment: environment)
        #expect(read.models.student == .directory("/a/b/$x"))
        #expect(read.state.directory == "/s/one")
        let stated = try settings(least + "state: {directory: /mine}\n", environment: environment)
        #expect(stated.state.directory == "/mine")
        #expect(try settings(least).state.directory == "/var/lib/understudy")
        let found = errors(least + "dead_letter: {path: '/x/${EMPTY}'}\n", environment: environment)
        #expect(found == ["5:25: 'path': the environment has no EMPTY; set it, for a unit with Environment="])
        #expect(errors(least + "dead_letter: {path: '${LABEL}'}\n", environment: environment).count == 1)
    }

    @Test func modelsSayWhoAnswers() throws {
        #expect(try settings(least).models == .bundledPair)
        #expect(try settings(least + "models:\n").models == .bundledPair)
        #expect(try settings(least + "models: {}\n").models.teacher == nil)
        let alone = try settings(least + "models: {student: /s}\n").models
        #expect(alone.student == .directory("/s") && alone.teacher == nil)
        let both = try settings(least + "models: {teacher: /t}\n").models
        #expect(both.student == .bundled && both.teacher == .directory("/t"))
    }

    @Test func theBooleansOfYAML12AreRead() throws {
        for (word, value) in [("true", true), ("True", true), ("FALSE", false), ("false", false)] {
            let read = try settings("sources:\n  - {name: in, kind: stdin, ordered: \(word)}\n" + leastSink)
            #expect(read.sources[0].ordered == value)
        }
        let named = try settings("sources:\n  - {name: no, kind: stdin}\n" + leastSink)
        #expect(named.sources[0].name == "no")
    }
}
