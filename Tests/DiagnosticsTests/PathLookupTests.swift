import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct PathLookupTests {
    private func code(_ path: String) -> UnderstudyError.Code? {
        do throws(UnderstudyError) {
            _ = try PathLookup.exists(path)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func whatIsThereIsNamedByItsKind() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "file")
        #expect(try PathLookup.kind(of: folder.path) == .directory)
        #expect(try PathLookup.kind(of: folder.file("file")) == .file)
        #expect(try PathLookup.kind(of: folder.file("none")) == .absent)
        #expect(try PathLookup.kind(of: folder.file("file/below")) == .absent)
        #expect(symlink("none", folder.file("dangling")) == 0 && symlink("file", folder.file("link")) == 0)
        #expect(try PathLookup.kind(of: folder.file("dangling")) == .absent)
        #expect(try PathLookup.kind(of: folder.file("dangling"), following: false) == .link)
        #expect(try PathLookup.resolved(folder.file("dangling")) == nil)
        #expect(try PathLookup.resolved(folder.file("link"))?.hasSuffix("/file") == true)
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(try PathLookup.kind(of: folder.file("pipe")) == .pipe)
    }

    /// What the system can't tell is an error, and never "it isn't there".
    @Test func whatCannotBeToldIsAnError() throws {
        let folder = try TemporaryFolder()
        #expect(symlink("loop", folder.file("loop")) == 0)
        #expect(code(folder.file("loop")) == .inputOutput)
        #expect(code(folder.file(String(repeating: "a", count: 300))) == .inputOutput)
        #expect(throws: UnderstudyError.self) { try PathLookup.resolved(folder.file("loop")) }
    }

    @Test func errnoDecidesTheCode() {
        for number in [EACCES, EPERM] {
            #expect(UnderstudyError.Code.reading(number, else: .missingInput) == .noPermission)
        }
        #expect(UnderstudyError.Code.reading(ENOENT, else: .missingInput) == .missingInput)
        #expect(UnderstudyError.Code.noPermission.exitStatus == 77)
    }

    @Test func aFileThatWasNotReadIsAskedAgainWhy() throws {
        let folder = try TemporaryFolder()
        #expect(PathLookup.unreadable(folder.file("none")).code == .missingInput)
        try folder.write("x", to: "file")
        #expect(PathLookup.unreadable(folder.file("file")).code == .inputOutput)
    }
}
