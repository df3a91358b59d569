import ArgumentParser
import Configuration
import Diagnostics
import Foundation

/// The option shared by the daemon's subcommands.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"))
    var path: String

    func load() throws(ConfigurationErrors) -> Settings {
        try ConfigurationFile.load(path: path, environment: ProcessInfo.processInfo.environment)
    }

    /// Returns the settings. Prints all errors of the file and exits with the status of a configuration error.
    func settings() throws -> Settings {
        do {
            return try load()
        } catch {
            ClassifyDescriptors.report(error.description)
            throw ExitCode(error.code.exitStatus)
        }
    }
}

/// Selects the daemon whose state a subcommand uses.
struct StateDirectoryOption: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's configuration, which names its state directory.", valueName: "F.yaml"))
    var config: String?

    @Option(help: ArgumentHelp("The state directory itself, instead of --config.", valueName: "directory"))
    var state: String?

    func validate() throws {
        guard (config == nil) != (state == nil) else {
            throw ValidationError("name the daemon's configuration with --config, or its state directory with --state")
        }
    }

    func directory() throws(UnderstudyError) -> String {
        if let state { return state }
        return try StateLocation.directory(configuration: config ?? "")
    }
}

/// Finds the state directory of a configuration. Errors elsewhere in the file only cause a warning.
enum StateLocation {
    /// Throws `configuration` or `noPermission`.
    static func directory(configuration path: String) throws(UnderstudyError) -> String {
        let glance = try ConfigurationGlance.read(path)
        let directory = try glance.stateDirectory()
        glance.warn()
        return directory
    }

    /// Returns the student registry. As root, the process first becomes the owner of the state directory.
    ///
    /// Throws `configuration`, `noPermission` or `inputOutput`.
    static func registry(configuration path: String) throws(UnderstudyError) -> String {
        let glance = try ConfigurationGlance.read(path)
        let directory = try glance.registryDirectory()
        glance.warn()
        try StateOwner.become(of: try glance.stateDirectory(), reading: [path])
        return directory
    }
}
