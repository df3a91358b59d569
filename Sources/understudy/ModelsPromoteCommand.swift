import ArgumentParser
import Configuration
import Diagnostics
import Models
import Service

/// `models promote`
struct ModelsPromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Promotes a version; a model directory outside the registry is imported first.",
        discussion: """
            First the student is loaded and run with the teacher and the sinks of the configuration, as the daemon would: \
            one that the daemon would refuse isn't promoted, even with --force. Promotion clears a rejection.
            """)

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "A version, or a model directory (with a slash in its name).")
    var which: String

    @Flag(help: "Promote even if its labels differ from the serving student's. They must still be the teacher's.")
    var force = false

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let isDirectory = which.contains("/")
            try StateOwner.become(settings, reading: [configuration.path] + (isDirectory ? [which] : []))
            let registry = ModelsCommand.registry(settings)
            let before = try registry.current()
            let directory = isDirectory ? which : try registry.entry(which).directory
            try check(directory, settings)
            let version: String
            if isDirectory {
                version = try registry.adopt(directory: which, promotedBy: .person, now: ModelsCommand.now).version
            } else {
                version = which
                try registry.promote(which, by: .person, now: ModelsCommand.now)
            }
            ModelsCommand.warnUnlessFollowed(settings, registry)
            guard let before, before.version != version else { return print("\(version) serves") }
            print("\(version) serves instead of \(before.version); 'understudy models rollback' rolls it back")
        }
    }

    /// Throws the error with which the daemon would refuse the student.
    private func check(_ directory: String, _ settings: Settings) throws(UnderstudyError) {
        do throws(UnderstudyError) {
            try ModelsCommand.checkServes(.directory(directory), settings)
        } catch {
            throw UnderstudyError(
                error.code, "not promoted, since the daemon would refuse it: \(error.message)",
                at: error.place ?? directory)
        }
        // With a teacher the labels were compared with the teacher's. The serving student may be one that the daemon
        // refused.
        guard !force, settings.models.teacher == nil, let serving = servingLabels(settings) else { return }
        guard try Self.labels(directory) == serving else {
            throw UnderstudyError(
                .invalidData, "has other labels than the serving student; --force promotes it anyway",
                at: directory)
        }
    }

    /// Returns nil if the serving student is damaged, so that there is nothing to compare with.
    private func servingLabels(_ settings: Settings) -> Set<String>? {
        guard let serving = try? DaemonModels.place(of: settings.servingStudent(), "student") else { return nil }
        return try? Self.labels(serving)
    }

    private static func labels(_ directory: String) throws(UnderstudyError) -> Set<String> {
        Set(
            try StudentConfiguration(
                ModelConfiguration(path: "\(directory)/\(ModelDirectory.configuration)")
            ).labels)
    }
}
