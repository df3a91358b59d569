import ArgumentParser
import Bytes
import Diagnostics
import Store
import Streams

/// `disagreements export`: writes the log as JSON Lines.
struct DisagreementsExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Prints the lines that the teacher saw as JSON Lines, oldest first.",
        discussion: "With --as-training the lines are data for distill and train: {\"text\":…,\"label\":…}.")

    @OptionGroup var location: StateDirectoryOption
    @OptionGroup(title: "Which lines") var filter: DisagreementFilterOptions

    @Flag(help: "Only the lines that the models disagree on.")
    var onlyDisagreements = false

    @Flag(help: "Only text and label: the human's where there is one, else the teacher's.")
    var asTraining = false

    /// Bytes written at a time.
    private static let blockSize = 1 << 16

    func run() throws {
        try reporting { () throws(UnderstudyError) in
            try ClassifyDescriptors.prepare()
            let store = try DisagreementsCommand.open(location, readOnly: true)
            let encoder = DisagreementEncoder(asTraining ? .training : .whole)
            let output = DescriptorSink(descriptor: 1, name: "standard output")
            let buffer = ByteBuffer()
            // A reader that closes the pipe (`| head`) is no error.
            func flush() throws(UnderstudyError) -> Bool {
                let outcome = try output.write(buffer.bytes)
                buffer.removeAll()
                return outcome != .closed
            }
            try store.forEachDisagreement(matching: filter.filter(onlyDisagreements: onlyDisagreements)) {
                (row) throws(UnderstudyError) in
                encoder.append(row, to: buffer)
                return buffer.count < Self.blockSize ? true : try flush()
            }
            _ = try flush()
        }
    }
}
