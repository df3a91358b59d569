import ArgumentParser
import Configuration
import Diagnostics
import Foundation

/// The option that the daemon's verbs share.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"))
    var path: String

    func load() throws(ConfigurationErrors) -> Settings {
        try ConfigurationFile.load(path: path, environment: ProcessInfo.processInfo.environment)
    }

    /// The settings; everything that is wrong with them is printed, and becomes the exit status of a configuration.
    func settings() throws -> Settings {
        do {
            return try load()
        } catch {
            ClassifyDescriptors.report(error.description)
            throw ExitCode(error.code.exitStatus)
        }
    }
}
