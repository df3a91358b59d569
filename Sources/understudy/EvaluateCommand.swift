import ArgumentParser
import Diagnostics
import Distillation
import Foundation
import Models

/// `evaluate`: measures a student, a teacher, or their cascade on labelled lines.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures a student, a teacher, or both and their cascade, on labelled lines.",
        discussion: """
            Prints precision, recall and F1 per label, the confusion matrix, calibration, ranking of confidence, speed, \
            and with both models the accuracy of the cascade at several shares of deferred lines. Rows without a label \
            are skipped and counted.
            """)

    @Option(help: ArgumentHelp("Labelled lines: JSON Lines of {\"text\":…,\"label\":…}.", valueName: "F.jsonl"))
    var data: String

    @Option(help: ArgumentHelp("The student's model directory.", valueName: "directory"))
    var student: String?

    @Option(help: ArgumentHelp("The teacher's model directory.", valueName: "directory"))
    var teacher: String?

    @Flag(help: "Print everything as one JSON object instead of tables.")
    var json = false

    @Option(help: ArgumentHelp("Also write an HTML page with charts.", valueName: "F.html"))
    var report: String?

    @Option(help: "Threads that score lines.")
    var threads = 1

    func validate() throws {
        guard student != nil || teacher != nil else {
            throw ValidationError("name a model with --student, --teacher or both")
        }
        guard (1...1024).contains(threads) else { throw ValidationError("--threads takes a number from 1 to 1024") }
    }

    func run() throws {
        try reporting(evaluate)
    }

    private func evaluate() throws(UnderstudyError) {
        let student = try load(student)
        let teacher = try load(teacher)
        let labels = try EvaluationSummary.labels(student: student, teacher: teacher)
        let lines = try DataSet.read(path: data, labels: labels)
        var evaluator = Evaluator()
        evaluator.threads = threads
        let summary = try EvaluationSummary.measure(
            lines, name: URL(fileURLWithPath: data).lastPathComponent, student: student, teacher: teacher,
            evaluator: evaluator, clock: ContinuousClock(), progress: .standardError())
        // The figures are printed first: they took long to compute, and writing the page may fail.
        print(json ? summary.json() : summary.text(), terminator: "")
        if let report { try write(summary.page(), to: report) }
    }

    private func load(_ directory: String?) throws(UnderstudyError) -> (any LineClassifier)? {
        guard let directory else { return nil }
        return try ModelLoader.load(directory: directory)
    }

    /// Writes a temporary file and renames it, so that readers never see a partial page.
    private func write(_ page: String, to path: String) throws(UnderstudyError) {
        do {
            try Data(page.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw UnderstudyError(.cannotCreate, "the report can't be written: \(error.localizedDescription)", at: path)
        }
    }
}
