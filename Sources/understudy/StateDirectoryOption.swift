import ArgumentParser
import Diagnostics

/// Which daemon's state a verb works on.
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
