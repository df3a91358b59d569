import ArgumentParser
import Diagnostics
import Foundation
import Store

/// Which rows of the log a verb takes.
struct DisagreementFilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only lines from then on: 30m, 24h, 7d, 2026-11-25 or 2026-11-25T13:02 (UTC).", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only lines before then.", valueName: "time"))
    var until: String?

    @Option(help: "Only lines of one reason: deferred (the student was unsure) or audit (it was sure).")
    var reason: DisagreementRow.Reason?

    @Option(help: ArgumentHelp("Only lines of one source.", valueName: "name"))
    var source: String?

    @Option(
        help: ArgumentHelp(
            "Only lines that the models gave these labels; either may be empty.", valueName: "student:teacher"))
    var pair: String?

    func validate() throws {
        for time in [since, until].compactMap({ $0 }) where TimeText.parse(time, now: 0) == nil {
            throw ValidationError("'\(time)' is no time: give 30m, 24h, 7d, 2026-11-25 or 2026-11-25T13:02")
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

extension DisagreementRow.Reason: ExpressibleByArgument {}
