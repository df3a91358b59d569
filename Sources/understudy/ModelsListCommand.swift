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
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            try StateOwner.become(settings, reading: [configuration.path])
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
