import ArgumentParser
import Configuration
import Diagnostics
import Models

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
                    verdict: failure == nil ? "whole: the fingerprint holds" : "DAMAGED"), terminator: "")
            if let failure { throw failure }
        }
    }
}
