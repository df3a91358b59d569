import ArgumentParser
import Diagnostics
import Store

/// `disagreements list`: the newest rows as a table.
struct DisagreementsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Prints the newest lines that student and teacher disagree on, as a table.")

    @OptionGroup var location: StateDirectoryOption
    @OptionGroup(title: "Which lines") var filter: DisagreementFilterOptions

    @Flag(help: "Also the lines that both models gave the same label.")
    var all = false

    @Option(help: "At most so many lines.")
    var limit = 50

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit takes a number from 1 on") }
    }

    func run() throws {
        try reporting { () throws(UnderstudyError) in
            let store = try DisagreementsCommand.open(location, readOnly: true)
            let rows = try store.disagreements(matching: filter.filter(onlyDisagreements: !all), limit: limit)
            guard !rows.isEmpty else { return ClassifyDescriptors.report("the log has no such lines") }
            print(DisagreementListing.text(rows, width: TerminalInput.outputWidth), terminator: "")
        }
    }
}
