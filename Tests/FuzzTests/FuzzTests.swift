import Foundation
import FuzzTargets
import TestSupport
import Testing

/// Every fuzz target over its corpus, so that what was found once stays found.
@Suite(.offPool) struct FuzzTests {
    private static let corpus = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzz/corpus").path

    /// All of them together: `git clone` shouldn't notice.
    private static let mostBytes = 300_000

    private static func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(corpus)/\(folder)").sorted()
    }

    @Test(arguments: FuzzTargets.all)
    func everyInputOfTheCorpusPasses(_ target: FuzzTarget) throws {
        let names = try Self.files(target.name)
        #expect(!names.isEmpty)
        target.run([])
        target.run([0])
        for name in names {
            let contents = try #require(FileManager.default.contents(atPath: "\(Self.corpus)/\(target.name)/\(name)"))
            target.run(Array(contents))
        }
    }

    @Test func eachTargetHasACorpusAndEachCorpusATarget() throws {
        let names = FuzzTargets.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(try FileManager.default.contentsOfDirectory(atPath: Self.corpus).sorted() == names.sorted())
        for name in names { #expect(FuzzTargets.named(name)?.name == name) }
        #expect(FuzzTargets.named("none") == nil)
    }

    @Test func theCorporaStaySmall() throws {
        var total = 0
        for target in FuzzTargets.all {
            for name in try Self.files(target.name) {
                let path = "\(Self.corpus)/\(target.name)/\(name)"
                total += try #require(FileManager.default.contents(atPath: path)).count
            }
        }
        #expect(total < Self.mostBytes)
    }

    @Test func aBrokenInvariantEndsTheProcess() async {
        await #expect(processExitsWith: .failure) { hold(false, "as it should be") }
        await #expect(processExitsWith: .success) { hold(true, "as it should be") }
    }
}
