import Diagnostics
import Foundation

extension StudentLineage {
    /// More than any lineage has; a hostile file mustn't fill the memory.
    private static let mostBytes = 4 << 20

    /// Errors: `missingInput`; `noPermission`; `invalidData` where it isn't a lineage.
    static func read(path: String) throws(UnderstudyError) -> StudentLineage {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
            size <= mostBytes, let data = FileManager.default.contents(atPath: path)
        else { throw PathLookup.unreadable(path) }
        guard let lineage = try? JSONDecoder().decode(StudentLineage.self, from: data) else {
            throw UnderstudyError(.invalidData, "isn't the lineage of a student", at: path)
        }
        return lineage
    }
}
