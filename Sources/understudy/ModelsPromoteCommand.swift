import ArgumentParser
import Configuration
import Diagnostics
import Models
import Service

/// `models promote`
struct ModelsPromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Lets a version serve; a model directory from elsewhere is taken in first.",
        discussion: """
            First the student is loaded and run with the teacher and the sinks of the configuration, as the daemon would: \
            one that the daemon would refuse isn't promoted, --force or not. Promoting a barred version lifts its bar.
            """)

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "A version, or a model directory (with a slash in its name).")
    var which: String

    @Flag(help: "Even if its labels aren't those of the student that serves; they must be the teacher's all the same.")
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
            print("\(version) serves, \(before.version) before; 'understudy models rollback' takes it back")
        }
    }

    /// Errors: those of a student that the daemon would refuse.
    private func check(_ directory: String, _ settings: Settings) throws(UnderstudyError) {
        do throws(UnderstudyError) {
            try ModelsCommand.checkServes(.directory(directory), settings)
        } catch {
            throw UnderstudyError(
                error.code, "it isn't promoted, since the daemon would refuse it: \(error.message)",
                at: error.place ?? directory)
        }
        // With a teacher its labels have been compared, and the student that serves may be one that the daemon refused.
        guard !force, settings.models.teacher == nil, let serving = servingLabels(settings) else { return }
        guard try Self.labels(directory) == serving else {
            throw UnderstudyError(
                .invalidData, "has other labels than the student that serves; --force promotes it all the same",
                at: directory)
        }
    }

    /// nil where the student that serves is damaged, so that there is nothing to compare with.
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
