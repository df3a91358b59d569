import ArgumentParser
import CBuild
import Diagnostics
import Foundation

@main
struct Understudy: ParsableCommand {
    /// The release. CHANGELOG.md has a section of this name, as a test checks.
    static let version = "0.6.0"

    /// The release with what was built: "0.6.0 (commit 0123abc, x86_64-linux-gnu)".
    static var fullVersion: String {
        let (commit, target) = (String(cString: understudy_commit()), String(cString: understudy_target()))
        return "\(version) (\(commit.isEmpty ? "" : "commit \(commit), ")\(target))"
    }

    static let configuration = CommandConfiguration(
        commandName: "understudy",
        abstract: "Classifies a stream of text lines with a small student; uses a BERT teacher for uncertain lines.",
        version: fullVersion,
        subcommands: [
            ClassifyCommand.self, RunCommand.self, CheckCommand.self, StatusCommand.self, DisagreementsCommand.self,
            RedistillCommand.self, ModelsCommand.self, TrainCommand.self, DistillCommand.self, EvaluateCommand.self,
            TokenizeCommand.self,
        ])

    /// Parses the command line, checks the environment and runs the subcommand.
    static func main() {
        var command = understood(Array(CommandLine.arguments.dropFirst()))
        do {
            try command.reporting(ProgramEnvironment.checkOurs)
            try command.run()
        } catch {
            exit(withError: error)
        }
    }

    /// Returns the command. If the command line can't be parsed, prints the parser's message with a hint and exits.
    private static func understood(_ arguments: [String]) -> any ParsableCommand {
        do {
            if CommandSlips.isIncomplete(arguments) { throw ValidationError("'\(arguments[0])' is incomplete") }
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

extension ParsableCommand {
    /// Runs the work of a subcommand. Prints its error once and turns it into the exit status.
    func reporting(_ work: () throws(UnderstudyError) -> Void) throws {
        do throws(UnderstudyError) {
            try work()
        } catch {
            ClassifyDescriptors.report("error: \(error)")
            throw ExitCode(error.code.exitStatus)
        }
    }
}
