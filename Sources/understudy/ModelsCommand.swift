import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Models

/// `models`: the students that serve, served, or may serve.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Shows the registry of students; promotes one of them, or goes back to the one before.",
        discussion: """
            A running daemon takes up another student by itself, without losing a line. The directory is \
            redistill.registry, or 'students' in the state directory.

            Exit status: 65 for a damaged version, 66 for one that isn't there, 75 while another process changes the \
            registry.
            """,
        subcommands: [
            ModelsListCommand.self, ModelsShowCommand.self, ModelsPromoteCommand.self, ModelsRollbackCommand.self,
        ])

    /// Microseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    static func registry(_ settings: Settings) -> StudentRegistry {
        StudentRegistry(directory: settings.registryDirectory)
    }

    /// A promotion that nothing follows would be a surprise.
    static func warnUnlessFollowed(_ settings: Settings, _ registry: StudentRegistry) {
        guard settings.followedStudent != registry.currentLink else { return }
        ClassifyDescriptors.report(
            "warning: no daemon with this configuration follows \(registry.currentLink): name it as models.student, or "
                + "add a block redistill")
    }
}

/// `models list`
struct ModelsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Prints all versions as a table.")

    @OptionGroup var configuration: ConfigurationOption

    @Flag(help: "Print JSON, one object a line.")
    var json = false

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let listing = try RegistryListing(ModelsCommand.registry(settings))
            if json { return try ModelsJSON.write(listing.entries, listing) }
            guard !listing.entries.isEmpty else {
                return print(
                    "there is no student in \(PrintableText.escaped(settings.registryDirectory)) yet; the first promotion "
                        + "puts one there")
            }
            print(listing.text, terminator: "")
        }
    }
}

/// `models show`
struct ModelsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints all that is known of a version, and whether its files are whole.")

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "The version; without it, the one that serves.")
    var version: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let registry = ModelsCommand.registry(settings)
            let entry: RegistryEntry
            if let version {
                entry = try registry.entry(version)
            } else if let current = try registry.current() {
                entry = current
            } else {
                throw UnderstudyError(
                    .missingInput, "no student of this registry serves yet", at: settings.registryDirectory)
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
                    verdict: failure == nil ? "whole: the fingerprint holds" : "DAMAGED"), terminator: "")
            if let failure { throw failure }
        }
    }
}

/// `models promote`
struct ModelsPromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Lets a version serve; a model directory from elsewhere is taken in first.",
        discussion: "Lifts a bar: whoever does this knows better than the daemon that barred the version.")

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "A version, or a model directory (with a slash in its name).")
    var which: String

    @Flag(help: "Even if its labels aren't those of the student that serves.")
    var force = false

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let registry = ModelsCommand.registry(settings)
            let before = try registry.current()
            let entry =
                which.contains("/")
                ? try registry.adopt(directory: which, now: ModelsCommand.now) : try registry.entry(which)
            if let before, !force { try checkLabels(entry, before) }
            try registry.promote(entry.version, by: .person, now: ModelsCommand.now)
            ModelsCommand.warnUnlessFollowed(settings, registry)
            guard let before, before.version != entry.version else {
                return print("\(entry.version) serves")
            }
            print("\(entry.version) serves, \(before.version) before; 'understudy models rollback' takes it back")
        }
    }

    private func checkLabels(_ entry: RegistryEntry, _ before: RegistryEntry) throws(UnderstudyError) {
        func labels(_ entry: RegistryEntry) throws(UnderstudyError) -> Set<String> {
            Set(
                try StudentConfiguration(
                    ModelConfiguration(path: "\(entry.directory)/\(ModelDirectory.configuration)")
                ).labels)
        }
        guard try labels(entry) == labels(before) else {
            throw UnderstudyError(
                .invalidData,
                "has other labels than \(before.version), which serves; --force promotes it all the same",
                at: entry.directory)
        }
    }
}

/// `models rollback`
struct ModelsRollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Lets the student before serve again.")

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: ArgumentHelp("Why the other one is never to be promoted again by a run.", valueName: "reason"))
    var bar: String?

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let registry = ModelsCommand.registry(settings)
            let (from, to) = try registry.rollback(barring: bar, now: ModelsCommand.now)
            ModelsCommand.warnUnlessFollowed(settings, registry)
            print("\(to.version) serves again instead of \(from.version)\(bar == nil ? "" : ", which is barred")")
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
