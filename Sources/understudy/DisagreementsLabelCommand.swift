import ArgumentParser
import Diagnostics
import Foundation
import Store

/// `disagreements label`: adds human labels, from a file or interactively.
struct DisagreementsLabelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label",
        abstract: "Adds human labels, from a file or interactively.",
        discussion: """
            A file holds JSON Lines of {"id":"…","label":"…"}; lines with an unknown id or label are reported, others \
            kept, and the exit status is 65. Without --from, the newest lines that no human has labelled and the models \
            disagree on are shown in turn.
            """)

    @OptionGroup var location: StateDirectoryOption
    @OptionGroup(title: "Which lines are asked about") var filter: DisagreementFilterOptions

    @Option(help: ArgumentHelp("Read the labels from this file; - is standard input.", valueName: "F.jsonl"))
    var from: String?

    @Flag(help: "Ask about lines that both models gave the same label as well.")
    var all = false

    @Option(help: "Maximum number of lines to ask about.")
    var limit = 200

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit takes a number of at least 1") }
    }

    func run() throws {
        try reporting { () throws(UnderstudyError) in
            if let from { try read(from) } else { try ask() }
        }
    }

    private func read(_ file: String) throws(UnderstudyError) {
        let place = file == "-" ? "standard input" : file
        let bytes: Data
        do {
            let handle =
                try file == "-" ? FileHandle.standardInput : FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            bytes = try handle.readToEnd() ?? Data()
        } catch {
            let why = PathLookup.unreadable(file)
            if file != "-", why.code == .noPermission { throw why }
            throw UnderstudyError(.missingInput, "the labels can't be read: \(error.localizedDescription)", at: place)
        }
        let store = try DisagreementsCommand.open(location, readOnly: false)
        var labels = HumanLabelImport(into: store, place: place) { ClassifyDescriptors.report("\($0)") }
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines {
            try Array(line).withUnsafeBufferPointer { (line) throws(UnderstudyError) in try labels.take(line) }
        }
        try labels.finish()
        ClassifyDescriptors.report(
            labels.kept == 1 ? "1 label saved" : "\(NumberText.grouped(labels.kept)) labels saved")
        guard labels.refused == 0 else {
            throw UnderstudyError(
                .invalidData,
                labels.refused == 1
                    ? "1 line couldn't be used" : "\(NumberText.grouped(labels.refused)) lines couldn't be used",
                at: place)
        }
    }

    private func ask() throws(UnderstudyError) {
        guard let terminal = TerminalInput() else {
            throw UnderstudyError(.usage, "standard input isn't a terminal; give the labels with --from FILE")
        }
        let store = try DisagreementsCommand.open(location, readOnly: false)
        var wanted = filter.filter(onlyDisagreements: !all)
        wanted.onlyUnlabelled = true
        let rows = try store.disagreements(matching: wanted, limit: limit)
        guard !rows.isEmpty else { return ClassifyDescriptors.report("the log has no such lines without a label") }
        let dialogue = LabelDialogue(width: TerminalInput.outputWidth ?? 80, key: terminal.key) { text in
            print(text, terminator: "")
            fflush(nil)
        }
        let outcome = try dialogue.run(rows) { (id, label) throws(UnderstudyError) in
            _ = try store.setHumanLabel(id: id, label: label)
        }
        terminal.restore()
        print("\(outcome.labelled) labelled, \(outcome.skipped) skipped")
    }
}
