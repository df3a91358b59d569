import ArgumentParser
import Configuration
import Diagnostics

/// Suggests corrections of a command line that can't be parsed.
enum CommandSlips {
    /// Returns one sentence; nil if `message`, the parser's own, is enough.
    static func hint(_ arguments: [String], message: String) -> String? {
        guard let first = arguments.first else { return nil }
        if first.hasPrefix("-") { return hint(optionFirst: arguments) }
        let verbs = Understudy.configuration.subcommands
        guard let verb = verbs.first(where: { name(of: $0) == first }) else {
            if let near = nearest(arguments, at: 0, among: names(verbs)) { return near }
            if isFile(first) { return "to classify the lines of a file: understudy classify <\(shown(first))" }
            return "the commands are \(names(verbs).joined(separator: ", "))"
        }
        let below = names(verb.configuration.subcommands)
        if !below.isEmpty {
            if arguments.count == 1 {
                let choices = below.map { "understudy \(first) \($0)" }.joined(separator: ", ")
                return "'\(first)' needs a subcommand: \(choices)"
            }
            if below.contains(arguments[1]) { return nil }
            return nearest(arguments, at: 1, among: below) ?? "'\(first)' has \(below.joined(separator: ", "))"
        }
        guard ["classify", "tokenize"].contains(first) else { return nil }
        let files = arguments.dropFirst().filter { isUnexpected($0, message) && isFile($0) }
        guard !files.isEmpty else { return nil }
        let command = (["understudy"] + arguments.filter { !files.contains($0) }).map(shown).joined(separator: " ")
        let names = files.map(shown).joined(separator: " ")
        return "'\(first)' reads standard input: "
            + (files.count == 1 ? "\(command) <\(names)" : "cat \(names) | \(command)")
    }

    /// Returns whether the arguments are an incomplete command, such as `train`.
    static func isIncomplete(_ arguments: [String]) -> Bool {
        guard arguments.count == 1 else { return false }
        return Understudy.configuration.subcommands.contains {
            name(of: $0) == arguments[0] && !$0.configuration.subcommands.isEmpty
        }
    }

    /// The hint at an option without a subcommand: the subcommands that have it, the likeliest first.
    private static func hint(optionFirst arguments: [String]) -> String? {
        let owners: [String: [String]] = [
            "--config": ["run", "check", "status", "disagreements", "models", "redistill"], "--listen": ["status"],
            "--student": ["classify", "evaluate"], "--teacher": ["classify", "evaluate", "distill"],
            "--data": ["evaluate"], "--model": ["tokenize"], "--train": ["distill", "train teacher"],
        ]
        guard let verbs = owners[String(arguments[0].prefix { $0 != "=" })] else { return nil }
        return "the command comes first; this option belongs to \(verbs.joined(separator: ", ")): "
            + "understudy \(verbs[0]) " + arguments.map(shown).joined(separator: " ")
    }

    private static func nearest(_ arguments: [String], at index: Int, among names: [String]) -> String? {
        guard let near = NearestName.find(arguments[index], among: names) else { return nil }
        var meant = arguments
        meant[index] = near
        return "did you mean '\(near)'? understudy " + meant.map(shown).joined(separator: " ")
    }

    private static func names(_ commands: [any ParsableCommand.Type]) -> [String] { commands.map { name(of: $0) } }

    private static func name(of command: any ParsableCommand.Type) -> String { command.configuration.commandName ?? "" }

    /// Returns whether the parser reports the argument as unexpected.
    private static func isUnexpected(_ argument: String, _ message: String) -> Bool {
        message.lowercased().contains("unexpected argument") && message.contains("'\(argument)'")
    }

    /// Returns whether the argument is a readable file, or looks like a file name.
    private static func isFile(_ argument: String) -> Bool {
        guard !argument.hasPrefix("-"), !argument.isEmpty else { return false }
        do throws(UnderstudyError) {
            if try PathLookup.kind(of: argument) == .file { return true }
        } catch {
            // The file exists but isn't accessible; for a hint that is enough.
            return true
        }
        return argument.contains("/")
            || [".txt", ".tsv", ".csv", ".jsonl", ".json", ".log"].contains { argument.hasSuffix($0) }
    }

    /// Quotes the argument for a shell.
    private static func shown(_ argument: String) -> String {
        let isPlain = argument.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || "-_./:=,+@%".unicodeScalars.contains(scalar)
        }
        if isPlain, !argument.isEmpty { return argument }
        return "'"
            + PrintableText.escaped(argument).split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''") + "'"
    }
}
