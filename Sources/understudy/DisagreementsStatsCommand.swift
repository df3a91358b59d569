import ArgumentParser
import Diagnostics
import Store

/// `disagreements stats`: how often the models agree, and where they don't.
struct DisagreementsStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Prints how often student and teacher agree: by reason, by day, with humans, by pairs of labels.")

    @OptionGroup var location: StateDirectoryOption
    @OptionGroup(title: "Which lines") var filter: DisagreementFilterOptions

    @Option(help: "So many pairs of labels, the most frequent first.")
    var pairs = 10

    @Flag(help: "Print everything as one JSON object.")
    var json = false

    func validate() throws {
        guard pairs >= 0 else { throw ValidationError("--pairs takes a number from 0 on") }
    }

    func run() throws {
        try reporting { () throws(UnderstudyError) in
            let store = try DisagreementsCommand.open(location, readOnly: true)
            let statistics = try store.disagreementStatistics(
                matching: filter.filter(onlyDisagreements: false), pairs: pairs)
            print(json ? statistics.json() : statistics.text(width: TerminalInput.outputWidth), terminator: "")
        }
    }
}
