import ArgumentParser
import Diagnostics
import Foundation
import Store
import Streams

/// `disagreements`: shows and edits the log of the lines that the teacher saw.
struct DisagreementsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disagreements",
        abstract: "Shows, exports and labels the lines that the teacher saw.",
        discussion: """
            A daemon logs every line that its teacher saw, with both models' answers. The log may be read and \
            labelled while the daemon runs.
            """,
        subcommands: [
            DisagreementsListCommand.self, DisagreementsStatsCommand.self, DisagreementsExportCommand.self,
            DisagreementsLabelCommand.self,
        ])

    /// Opens the log of a daemon that may be running. Warnings go to standard error.
    static func open(_ option: StateDirectoryOption, readOnly: Bool) throws(UnderstudyError) -> Store {
        let directory = try option.directory()
        // Also for reading, because SQLite then creates files beside the database.
        try StateOwner.become(of: directory, reading: option.config.map { [$0] } ?? [])
        return try Store.openBeside(directory: directory, readOnly: readOnly) { problem in
            ClassifyDescriptors.report("warning: \(problem)")
        }
    }
}

/// `disagreements list`: prints the newest rows as a table.
struct DisagreementsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Prints the newest lines that student and teacher disagree on, as a table.")

    @OptionGroup var location: StateDirectoryOption
    @OptionGroup(title: "Which lines") var filter: DisagreementFilterOptions

    @Flag(help: "Include lines that both models gave the same label.")
    var all = false

    @Option(help: "Maximum number of lines.")
    var limit = 50

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit takes a number of at least 1") }
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

/// `disagreements stats`: prints how often the models agree, and where they disagree.
struct DisagreementsStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Prints how often student and teacher agree: by reason, by day, with humans, by pairs of labels.")

    @OptionGroup var location: StateDirectoryOption
    @OptionGroup(title: "Which lines") var filter: DisagreementFilterOptions

    @Option(help: "Number of label pairs, the most frequent first.")
    var pairs = 10

    @Flag(help: "Print everything as one JSON object.")
    var json = false

    func validate() throws {
        guard pairs >= 0 else { throw ValidationError("--pairs takes a number of at least 0") }
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

/// The row filter of a subcommand.
struct DisagreementFilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only lines from then on: 30m, 24h, 7d, 2026-11-25 or 2026-11-25T13:02 (UTC).", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only lines before then.", valueName: "time"))
    var until: String?

    @Option(help: "Only lines of one reason: deferred (the student was unsure) or audit (it was sure).")
    var reason: TeacherReason?

    @Option(help: ArgumentHelp("Only lines of one source.", valueName: "name"))
    var source: String?

    @Option(
        help: ArgumentHelp(
            "Only lines that the models gave these labels; either may be empty.", valueName: "student:teacher"))
    var pair: String?

    func validate() throws {
        for time in [since, until].compactMap({ $0 }) where TimeText.parse(time, now: 0) == nil {
            throw ValidationError("'\(time)' isn't a time: use 30m, 24h, 7d, 2026-11-25 or 2026-11-25T13:02")
        }
        if let pair, !pair.contains(":") { throw ValidationError("--pair takes two labels, student:teacher") }
    }

    func filter(onlyDisagreements: Bool) -> DisagreementFilter {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        let labels = pair?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        func label(_ index: Int) -> String? { labels.flatMap { $0[index].isEmpty ? nil : $0[index] } }
        return DisagreementFilter(
            since: since.flatMap { TimeText.parse($0, now: now) },
            until: until.flatMap { TimeText.parse($0, now: now) }, reason: reason, source: source,
            studentLabel: label(0), teacherLabel: label(1),
            onlyDisagreements: onlyDisagreements)
    }
}

extension TeacherReason: ExpressibleByArgument {}
