import Diagnostics
import Foundation
import Tensors

/// The registry's data besides its links: `registry.json`, replaced as a whole at each change.
struct RegistryRecord: Sendable, Equatable, Codable {
    static let fileName = "registry.json"
    /// Maximum number of promotions kept: a rollback goes back only a few.
    private static let mostPromotions = 1000

    /// The number of the next version.
    var next = 1
    var barred: [RejectedVersion] = []
    /// Oldest first.
    var promotions: [Promotion] = []

    /// Errors: `invalidData` if the file isn't a valid record.
    static func read(directory: String) throws(UnderstudyError) -> RegistryRecord {
        let path = directory + "/" + fileName
        guard let data = FileManager.default.contents(atPath: path) else {
            guard try PathLookup.exists(path) else { return RegistryRecord() }
            throw PathLookup.unreadable(path)
        }
        guard let record = try? JSONDecoder().decode(RegistryRecord.self, from: data) else {
            throw UnderstudyError(
                .invalidData,
                "isn't a valid registry record; remove it: versions are kept, history and rejections are lost", at: path
            )
        }
        return record
    }

    func write(directory: String) throws(UnderstudyError) {
        var kept = self
        kept.promotions = Array(promotions.suffix(Self.mostPromotions))
        try RegistryFile.write(kept, to: directory + "/" + Self.fileName)
    }

    func barring(of version: String) -> RejectedVersion? { barred.last { $0.version == version } }

    /// The version that served before `version`, according to its newest promotion.
    func predecessor(of version: String) -> String? {
        promotions.last { $0.version == version && $0.origin != .rollback }?.predecessor
    }
}

/// A version in the registry.
public struct RegistryEntry: Sendable, Equatable {
    public var version: String
    public var directory: String
    /// nil if `lineage.json` is missing or damaged.
    public var lineage: StudentLineage?
    public var barring: RejectedVersion?
    /// The flaw found without reading the weights; nil: none.
    public var flaw: String?
}

/// One change of the serving student.
public struct Promotion: Sendable, Equatable, Codable {
    public enum Origin: Sendable, Equatable, Codable {
        /// A run whose candidate passed the gate.
        case run(Int64)
        /// The daemon, after the candidate had run in shadow mode.
        case shadow
        /// The daemon or a person rolled back to the previous student.
        case rollback
        case person
    }

    /// The name of the configured student in the history, when no version of the registry serves. No version can have
    /// this name.
    public static let configured = "(configured)"

    /// Microseconds since 1970.
    public var time: Int64
    /// A version, or `configured`.
    public var version: String
    /// The version that served before; nil if that was the configured student.
    public var predecessor: String?
    public var origin: Origin

    public init(time: Int64, version: String, predecessor: String?, origin: Origin) {
        self.time = time
        self.version = version
        self.predecessor = predecessor
        self.origin = origin
    }
}

/// A version that no run and no daemon may promote again.
public struct RejectedVersion: Sendable, Equatable, Codable {
    public var version: String
    /// One sentence.
    public var reason: String
    /// Microseconds since 1970.
    public var time: Int64

    public init(version: String, reason: String, time: Int64) {
        self.version = version
        self.reason = reason
        self.time = time
    }
}

/// The registry's small JSON files.
enum RegistryFile {
    static func write(_ value: some Encodable, to path: String) throws(UnderstudyError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            throw UnderstudyError(.internalFailure, "can't be written as JSON", at: path)
        }
        let file = try DurableFile(replacing: path)
        try file.write(Array(data) + [0x0A])
        try file.commit()
    }
}
