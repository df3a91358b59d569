import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Models
import Redistillation
import Service
import Store

/// `redistill`: runs one re-distillation.
struct RedistillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redistill",
        abstract: "Trains a new student on the disagreement log and promotes it if it passes the gate.",
        discussion: """
            Reads the teacher's answers since the last run, trains a candidate, measures it on the holdout and \
            on the log's held-out lines, and promotes it only if every criterion of the gate is met. The daemon loads \
            the student by itself. A refusal is a normal outcome. As root, it runs as the state directory's owner.

            Exit status: 0 for a promotion, a refusal, a dry run, and where there is nothing to do; 65, 66 for wrong or \
            missing data; 73, 74 where state or registry can't be written; 75 if another run is active, or this one \
            was interrupted or hit its limits; 78 for a wrong configuration.
            """)

    @OptionGroup var configuration: ConfigurationOption

    @Flag(help: "Do everything but promote.")
    var dryRun = false

    func run() throws {
        try reporting(Interruption.begin)
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in try redistill(settings) }
    }

    private func redistill(_ settings: Settings) throws(UnderstudyError) {
        guard let redistill = settings.redistill else {
            throw UnderstudyError(
                .configuration, "the block redistill is missing; it names the base transfer set and the holdout",
                at: configuration.path)
        }
        guard let teacher = settings.models.teacher else {
            throw UnderstudyError(
                .configuration, "models.teacher is missing; re-distillation needs a teacher",
                at: configuration.path)
        }
        try StateOwner.become(settings, reading: [configuration.path])
        let request = RunRequest(
            settings: settings, redistill: redistill, isDryRun: dryRun,
            student: try DaemonModels.place(of: settings.servingStudent(), "student"),
            teacher: try DaemonModels.place(of: teacher, "teacher"))
        let run = RedistillRun(
            request, progress: .standardError(),
            loadTeacher: { (directory) throws(UnderstudyError) in try ModelLoader.load(directory: directory) },
            wasInterrupted: { Interruption.wasAsked },
            report: { ClassifyDescriptors.report("warning: \($0)") })
        let outcome = try run.run()
        if let run = outcome.run { print(GateTable.text(run.content.criteria), terminator: "") }
        print(outcome.sentence)
        if let report = outcome.run?.content.report { print("report: \(report)") }
    }
}
