import ArgumentParser
import Diagnostics
import Store

/// `disagreements`: what the teacher was asked about, and what it said.
struct DisagreementsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disagreements",
        abstract: "Shows, exports and labels the lines that the teacher was asked about.",
        discussion: """
            A daemon logs every line that its teacher saw, with what both models made of it. The log may be read and \
            labelled while the daemon runs.
            """,
        subcommands: [
            DisagreementsListCommand.self, DisagreementsStatsCommand.self, DisagreementsExportCommand.self,
            DisagreementsLabelCommand.self,
        ])

    /// The log beside a daemon; what isn't fatal goes to standard error.
    static func open(_ option: StateDirectoryOption, readOnly: Bool) throws(UnderstudyError) -> Store {
        let directory = try option.directory()
        // Reading too: SQLite makes files beside the database for those that read it.
        try StateOwner.become(of: directory, reading: option.config.map { [$0] } ?? [])
        return try Store.openBeside(directory: directory, readOnly: readOnly) { problem in
            ClassifyDescriptors.report("warning: \(problem)")
        }
    }
}
