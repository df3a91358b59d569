import ArgumentParser
import Diagnostics
import Foundation

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

    /// Understands the command line, checks the environment, does the verb's work.
    static func main() {
        var command = understood(Array(CommandLine.arguments.dropFirst()))
        do {
            try command.reporting(ProgramEnvironment.checkOurs)
            try command.run()
        } catch {
            exit(withError: error)
        }
    }

    /// The command; a command line that can't be understood ends the process, with a hint behind the parser's message.
    private static func understood(_ arguments: [String]) -> any ParsableCommand {
        do {
            if CommandSlips.isIncomplete(arguments) { throw ValidationError("'\(arguments[0])' isn't a whole command") }
            return try parseAsRoot(arguments)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            var text = fullMessage(for: error)
            if let hint = CommandSlips.hint(arguments, message: message(for: error)) { text += "\nHint: \(hint)" }
            ClassifyDescriptors.report(text)
            exit(withError: ExitCode.validationFailure)
        }
    }
}
