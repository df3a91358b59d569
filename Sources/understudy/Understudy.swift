import ArgumentParser
import Diagnostics

@main
struct Understudy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "understudy",
        abstract: "Classifies a stream of text lines with a small student; asks a BERT teacher when unsure.",
        subcommands: [
            ClassifyCommand.self, TokenizeCommand.self, TrainCommand.self, DistillCommand.self, EvaluateCommand.self,
            DisagreementsCommand.self,
        ])
}
