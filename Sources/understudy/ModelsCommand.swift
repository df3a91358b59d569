import ArgumentParser
import Configuration
import Foundation
import Models

/// `models`: the students that serve, served, or may serve.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Shows the registry of students; promotes one of them, or goes back to the one before.",
        discussion: """
            A running daemon takes up another student by itself, without losing a line. The directory is \
            redistill.registry, or 'students' in the state directory.

            Exit status: 65 for a damaged version, 66 for one that isn't there, 75 while another process changes the \
            registry.
            """,
        subcommands: [
            ModelsListCommand.self, ModelsShowCommand.self, ModelsPromoteCommand.self, ModelsRollbackCommand.self,
        ])

    /// Microseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    static func registry(_ settings: Settings) -> StudentRegistry {
        StudentRegistry(directory: settings.registryDirectory)
    }

    /// A promotion that nothing follows would be a surprise.
    static func warnUnlessFollowed(_ settings: Settings, _ registry: StudentRegistry) {
        guard settings.followedStudent != registry.currentLink else { return }
        ClassifyDescriptors.report(
            "warning: no daemon with this configuration follows \(registry.currentLink): name it as models.student, or "
                + "add a block redistill")
    }
}
