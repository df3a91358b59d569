import ArgumentParser
import Configuration
import Diagnostics
import Logging
import Service

/// `run`: runs the daemon.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the daemon that a configuration file describes.",
        discussion: """
            Reads the sources, answers their lines and writes to the sinks until SIGTERM or SIGINT, or until every \
            source has ended; then answers what was read and ends. SIGHUP reads the configuration again and opens the \
            output files again. As root, it runs as the owner of the state directory.

            Exit status: 0 after a complete drain; 75 if lines could not be answered in time, or another daemon uses the \
            state directory; 78 for a wrong configuration; others as in docs/operations.md.
            """)

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        Daemon.holdSignals()
        // Errors at the start are printed in full, with positions; those of a reload are logged.
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            try StateOwner.become(settings, reading: [configuration.path])
        }
        DaemonLogs.bootstrap(level: .info)
        let inherited = InheritedDescriptors.take()
        let log = Logger(label: "understudy")
        let daemon = Daemon(
            Daemon.Surroundings(
                settings: { [configuration] () throws(ConfigurationErrors) in try configuration.load() },
                supply: DaemonModels.supply, version: Understudy.version, inherited: inherited,
                manager: ServiceManager(), log: log))
        do throws(UnderstudyError) {
            try daemon.run()
        } catch {
            log.report(error, what: "ended with an error")
            throw ExitCode(error.code.exitStatus)
        }
    }
}
