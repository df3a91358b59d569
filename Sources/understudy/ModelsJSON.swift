import Diagnostics
import Foundation
import Models

/// Registry entries as JSON.
enum ModelsJSON {
    private struct Line: Encodable {
        var version: String
        var role: String
        var directory: String
        var bytes: Int
        var lineage: StudentLineage?
        var barred: Barring?
        var flaw: String?
    }

    static func write(_ entries: [RegistryEntry], _ listing: RegistryListing) throws(UnderstudyError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for entry in entries {
            let line = Line(
                version: entry.version, role: listing.role(entry), directory: entry.directory,
                bytes: listing.bytes[entry.version] ?? 0, lineage: entry.lineage, barred: entry.barring,
                flaw: entry.flaw)
            guard let data = try? encoder.encode(line) else {
                throw UnderstudyError(.internalFailure, "can't be written as JSON", at: entry.directory)
            }
            print(String(decoding: data, as: UTF8.self))
        }
    }
}
