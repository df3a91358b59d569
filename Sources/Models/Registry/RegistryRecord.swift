import Diagnostics
import Foundation

/// What the registry remembers beside its links: `registry.json`, replaced as a whole at each change.
struct RegistryRecord: Sendable, Equatable, Codable {
    static let fileName = "registry.json"
    /// More are never looked at: a rollback goes back a few.
    private static let mostPromotions = 1000

    /// The number of the next version.
    var next = 1
    var barred: [Barring] = []
    /// Oldest first.
    var promotions: [Promotion] = []

    /// Errors: `invalidData` where the file isn't one of these.
    static func read(directory: String) throws(UnderstudyError) -> RegistryRecord {
        let path = directory + "/" + fileName
        guard let data = FileManager.default.contents(atPath: path) else {
            guard try PathLookup.exists(path) else { return RegistryRecord() }
            throw PathLookup.unreadable(path)
        }
        guard let record = try? JSONDecoder().decode(RegistryRecord.self, from: data) else {
            throw UnderstudyError(
                .invalidData,
                "isn't a registry's record any more; remove it: versions stay, history and bars are forgotten", at: path
            )
        }
        return record
    }

    func write(directory: String) throws(UnderstudyError) {
        var kept = self
        kept.promotions = Array(promotions.suffix(Self.mostPromotions))
        try RegistryFile.write(kept, to: directory + "/" + Self.fileName)
    }

    func barring(of version: String) -> Barring? { barred.last { $0.version == version } }

    /// What served before `version` did, by the newest promotion of it.
    func predecessor(of version: String) -> String? {
        promotions.last { $0.version == version && $0.origin != .rollback }?.predecessor
    }
}
