import ArgumentParser
import Configuration
import Diagnostics
import Models

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
                        + "puts one there")
            }
            print(listing.text, terminator: "")
        }
    }
}
