import ArgumentParser
import Configuration
import Diagnostics
import Service

/// `check`: reports everything that would keep a daemon from starting.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validates a configuration and everything that it names; prints the resolved settings.",
        discussion: """
            Reads the file, loads and runs the models, compares labels, and examines every path, the state and the \
            kernel's limits with the permissions of the calling user: as the service's user, to know what the service may do. \
            Findings go to standard error, the settings with their defaults to standard output. Before the first \
            start, missing directories that the service's units create are notes, not errors.

            Exit status: 0 if nothing is wrong (warnings and notes aside), 78 if something is.
            """)

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        let settings = try configuration.settings()
        let findings = DaemonCheck.run(settings, supply: DaemonModels.supply)
        print(ResolvedText(settings).description, terminator: "")
        for finding in findings { ClassifyDescriptors.report(finding.description) }
        if findings.contains(where: { $0.severity == .error }) {
            throw ExitCode(UnderstudyError.Code.configuration.exitStatus)
        }
        let isEarly = findings.contains { $0.severity == .note }
        ClassifyDescriptors.report(
            "\(configuration.path): the daemon can start with this"
                + (isEarly ? " once the paths noted above exist" : ""))
    }
}
