import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Models
import Service

/// `models`: the students that serve, served, or may serve.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Shows the registry of students; promotes one of them, or goes back to the one before.",
        discussion: """
            A running daemon takes up another student by itself, without losing a line. The directory is \
            redistill.registry, or 'students' in the state directory. As root, all is done as the state directory's owner.

            Exit status: 65 for a damaged version, or one with other labels than the teacher's; 66 for one that isn't \
            there; 75 while another process changes the registry.
            """,
        subcommands: [
            ModelsListCommand.self, ModelsShowCommand.self, ModelsPromoteCommand.self, ModelsRollbackCommand.self,
        ])

    /// Microseconds since 1970.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }

    static func registry(_ settings: Settings) -> StudentRegistry {
        StudentRegistry(directory: settings.registryDirectory)
    }

    /// Errors: those for which the daemon would refuse the student.
    static func checkServes(_ student: ModelSettings.Model, _ settings: Settings) throws(UnderstudyError) {
        try ServingCheck.run(student: student, settings, supply: DaemonModels.supply) { error in
            ClassifyDescriptors.report("warning: \(error)")
        }
    }

    /// A promotion that nothing follows would be a surprise.
    static func warnUnlessFollowed(_ settings: Settings, _ registry: StudentRegistry) {
        guard settings.followedStudent != registry.currentLink else { return }
        ClassifyDescriptors.report(
            "warning: no daemon with this configuration follows \(registry.currentLink): name it as models.student, or "
                + "add a block redistill")
    }
}
