import Configuration
import Foundation
import Testing

/// What is said about each file of Goldens/bad, word for word.
@Suite struct BadFileTests {
    private static let folder = "Tests/ConfigurationTests/Goldens/bad"

    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: RepositoryFile.root.appending(path: folder).path))?
        .filter { $0.hasSuffix(".yaml") }.sorted() ?? []

    @Test func thereAreFiles() {
        #expect(Self.names.count > 20)
    }

    @Test(arguments: names) func errorsReadAsKept(name: String) throws {
        let bytes = try Data(contentsOf: RepositoryFile.root.appending(path: "\(Self.folder)/\(name)"))
        var said = ""
        do {
            _ = try ConfigurationFile.read(Array(bytes), path: name, environment: [:])
        } catch {
            said = "\(error)\n"
            // In the order of place, and none of them without a place.
            let places = error.errors.map { ($0.line ?? 0, $0.column ?? 0) }
            #expect(places.allSatisfy { $0.0 > 0 && $0.1 > 0 })
            #expect(zip(places, places.dropFirst()).allSatisfy { $0 <= $1 })
        }
        #expect(!said.isEmpty)
        try RepositoryFile.expect("\(Self.folder)/\(name.dropLast(".yaml".count)).txt", holds: said)
    }
}
