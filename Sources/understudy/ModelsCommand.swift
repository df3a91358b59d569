import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Models
import Service

/// `models`: lists and changes the student versions of the registry.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Lists, promotes and rolls back the student versions of the registry.",
        discussion: """
            A running daemon loads the new student by itself, without losing a line. The directory is \
            redistill.registry, or 'students' in the state directory. As root, it runs as the state directory's owner.

            Exit status: 65 for a damaged version, or one with other labels than the teacher's; 66 for one that isn't \
            there; 75 while another process changes the registry.
            """,
        subcommands: [
            ModelsListCommand.self, ModelsShowCommand.self, ModelsPromoteCommand.self, ModelsRollbackCommand.self,
        ])

    /// Microseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    static func registry(_ settings: Settings) -> StudentRegistry {
        StudentRegistry(directory: settings.registryDirectory)
    }

    /// Throws the error with which the daemon would refuse the student.
    static func checkServes(_ student: ModelSettings.Model, _ settings: Settings) throws(UnderstudyError) {
        try ServingCheck.run(student: student, settings, supply: DaemonModels.supply) { error in
            ClassifyDescriptors.report("warning: \(error)")
        }
    }

    /// Warns if a daemon with this configuration doesn't follow the registry's link: a promotion then has no effect on
    /// it.
    static func warnUnlessFollowed(_ settings: Settings, _ registry: StudentRegistry) {
        guard settings.followedStudent != registry.currentLink else { return }
        ClassifyDescriptors.report(
            "warning: no daemon with this configuration watches \(registry.currentLink): set it as models.student, or "
                + "add the block redistill")
    }
}

/// `models list`
struct ModelsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Prints all versions as a table.")

    @OptionGroup var configuration: ConfigurationOption

    @Flag(help: "Print JSON, one object a line.")
    var json = false

    func run() throws {
        try reporting { () throws(UnderstudyError) in
            let registry = StudentRegistry(directory: try StateLocation.registry(configuration: configuration.path))
            let listing = try RegistryListing(registry)
            if json { return try ModelsJSON.write(listing.entries, listing) }
            guard !listing.entries.isEmpty else {
                return print(
                    "there is no student in \(PrintableText.escaped(registry.directory)) yet; the first promotion "
                        + "adds one")
            }
            print(listing.text, terminator: "")
        }
    }
}

/// `models show`
struct ModelsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints the details of a version and verifies its files.")

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "The version; without it, the serving one.")
    var version: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try reporting { () throws(UnderstudyError) in
            let registry = StudentRegistry(directory: try StateLocation.registry(configuration: configuration.path))
            let entry: RegistryEntry
            if let version {
                entry = try registry.entry(version)
            } else if let current = try registry.current() {
                entry = current
            } else {
                throw UnderstudyError(
                    .missingInput, "no student of this registry serves yet", at: registry.directory)
            }
            let listing = try RegistryListing(registry)
            if json { return try ModelsJSON.write([entry], listing) }
            var failure: UnderstudyError?
            do throws(UnderstudyError) { try StudentRegistry.verify(directory: entry.directory) } catch {
                failure = error
            }
            print(
                listing.text(
                    of: entry, history: try registry.history(),
                    verdict: failure == nil ? "intact: the fingerprint matches" : "DAMAGED"), terminator: "")
            if let failure { throw failure }
        }
    }
}

/// Registry entries as JSON.
enum ModelsJSON {
    private struct Line: Encodable {
        var version: String
        var role: String
        var directory: String
        var bytes: Int
        var lineage: StudentLineage?
        var barred: RejectedVersion?
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
