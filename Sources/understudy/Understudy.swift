import ArgumentParser
import Diagnostics

@main
struct Understudy: ParsableCommand {
    static let version = "0.5.0"

    static let configuration = CommandConfiguration(
        commandName: "understudy",
        abstract: "Classifies a stream of text lines with a small student; asks a BERT teacher when unsure.",
        version: version,
        subcommands: [
            ClassifyCommand.self, RunCommand.self, CheckCommand.self, StatusCommand.self, DisagreementsCommand.self,
            RedistillCommand.self, ModelsCommand.self, TrainCommand.self, DistillCommand.self, EvaluateCommand.self,
            TokenizeCommand.self,
        ])
}
