import Configuration
import Foundation
import Testing

/// The schema and the reference say what the code does.
@Suite struct AgreementTests {
    @Test func theSchemaIsMadeFromTheTables() throws {
        try RepositoryFile.expect("etc/understudy.schema.json", holds: SchemaText.text)
    }

    @Test func theReferenceIsMadeFromTheTables() throws {
        let path = "docs/configuration.md"
        let held = try RepositoryFile.text(path)
        let end = try #require(held.range(of: ReferenceText.marker)).upperBound
        try RepositoryFile.expect(path, holds: held[..<end] + "\n" + ReferenceText.text)
    }
}
