import Foundation
import TestSupport
import Testing

/// Slips on the command line and in the environment. None of it needs a model.
@Suite(.offPool) struct CommandLineTests {
    @Test(arguments: [
        (["clasify"], "did you mean 'classify'? understudy classify"),
        (["stauts", "--config", "a b"], "did you mean 'status'? understudy status --config 'a b'"),
        (["models", "promot", "v1"], "did you mean 'promote'? understudy models promote v1"),
        (["frobnicate"], "the commands are classify, run, check"),
        (["headlines.txt"], "understudy classify <headlines.txt"),
        (["classify", "headlines.txt"], "'classify' reads standard input: understudy classify <headlines.txt"),
        (["classify", "--no-teacher", "a.txt"], "understudy classify --no-teacher <a.txt"),
        (["classify", "a.txt", "b.txt"], "cat a.txt b.txt | understudy classify"),
        (["tokenize", "--model", "/m", "/etc/hostname"], "understudy tokenize --model /m </etc/hostname"),
        (["--config", "x.yaml"], "the command comes first; this option belongs to run, check"),
        (["train"], "understudy train teacher"), (["models"], "understudy models list"),
        (["disagreements", "lost"], "did you mean 'list'?"),
    ])
    func aSlipGetsAHint(arguments: [String], hint: String) throws {
        let result = try Program.run(arguments)
        #expect(result.status == 64 && !result.wasKilled && result.output.isEmpty)
        let last = result.errorLines.last ?? ""
        #expect(last.hasPrefix("Hint: ") && last.contains(hint), "\(result.errors)")
    }

    @Test func helpAndVersionNeedNoHint() throws {
        for arguments in [["--help"], ["--version"], ["models", "--help"], [], ["help", "train"]] {
            let result = try Program.run(arguments)
            #expect(result.status == 0 && result.errors.isEmpty && !result.output.isEmpty, "\(arguments)")
        }
        #expect(try Program.run(["classify", "--threads", "0", "--student", "/a/b"]).errors.contains("Hint") == false)
    }

    /// "0.6.0 (commit 0123abc, x86_64-linux-gnu)"; the first section of the changelog is that of the same release.
    @Test func theVersionNamesReleaseAndTarget() throws {
        let printed = try Program.run(["--version"]).output
        let match = try #require(printed.wholeMatch(of: /(\d+\.\d+\.\d+) \((?:commit [\w.-]+, )?\w+-linux-gnu\)\n/))
        let changelog = try String(
            contentsOf: Program.repository.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
        let section = try #require(changelog.firstMatch(of: /\n## (\S+) \(\d{4}-\d\d-\d\d\)\n/))
        #expect(section.1 == match.1)
    }

    @Test(arguments: [
        ("UNDERSTUDY_KERNELS", "sse", "portable, avx2, avx512"), ("UNDERSTUDY_PRECISION", "int8", "f32, bf16, i8"),
        ("UNDERSTUDY_MODELS", "/nonexistent/models", "a directory that holds student and teacher"),
        ("UNDERSTUDY_CRASH_AT", "comitted", "committed"), ("UNDERSTUDY_CRASH_AT", "committed:0", "N counts from 1"),
        ("UNDERSTUDY_CRASH_AT", "committed:1:2", "NAME:N"),
    ])
    func aWrongVariableIsRefused(name: String, value: String, allowed: String) throws {
        let result = try Program.shell("\(name)='\(value)' \"$U\" tokenize --model /nonexistent")
        #expect(result.status == 78 && result.output.isEmpty)
        #expect(result.errorLines.count == 1, "\(result.errors)")
        #expect(result.errors.contains(name) && result.errors.contains(value) && result.errors.contains(allowed))
    }

    @Test func rightAndEmptyAndForeignVariablesPass() throws {
        for setting in [
            "UNDERSTUDY_KERNELS=portable", "UNDERSTUDY_KERNELS=", "UNDERSTUDY_PRECISION=bf16", "UNDERSTUDY_MODELS=/",
            "UNDERSTUDY_CRASH_AT=run-begun:3", "UNDERSTUDY_REWRITE=1", "UNDERSTUDY_TEST_NAMESPACE=1",
        ] {
            let result = try Program.shell("\(setting) \"$U\" tokenize --model /nonexistent")
            #expect(result.status == 66 && result.errorLines.count == 1, "\(setting): \(result.errors)")
        }
        let near = try Program.shell("UNDERSTUDY_KERNEL=avx2 \"$U\" tokenize --model /nonexistent")
        #expect(near.status == 66 && near.errors.contains("did you mean UNDERSTUDY_KERNELS?"))
    }

    /// Only the address is needed; the rest of the file may be as wrong as it likes.
    @Test func statusFindsTheAddressInABrokenFile() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("understudy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("a.yaml").path
        try "http: {listen: 'unix:/nonexistent/s'}\nsources: [\n".write(toFile: file, atomically: true, encoding: .utf8)
        let result = try Program.run(["status", "--config", file])
        #expect(result.status == 75 && result.errorLines.count == 2, "\(result.errors)")
        #expect(result.errors.hasPrefix("warning: \(file):"))
        try "sources: [\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try Program.run(["status", "--config", file]).status == 78)
        #expect(try Program.run(["models", "list", "--config", file]).status == 0)
    }
}
