import ArgumentParser
import Configuration
import Diagnostics
import Models
import Service

/// `models rollback`
struct ModelsRollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Rolls back to the previous student.",
        discussion: """
            Without a previous student, or with --configured, the student that models.student names serves again (the \
            bundled one if it names none), and no version of the registry does. Versions stay in the registry.
            """)

    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Reason for rejecting the current version; runs don't promote a rejected version again.",
            valueName: "reason"))
    var bar: String?

    @Flag(help: "Roll back to the configured student even if there is a previous version.")
    var configured = false

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            try StateOwner.become(settings, reading: [configuration.path])
            let registry = ModelsCommand.registry(settings)
            let end = bar == nil ? "" : ", which is rejected"
            let previous = try registry.previous()
            var from: String?
            let to: String
            if let previous, !configured {
                try check(previous, settings)
                from = try registry.rollback(to: previous.version, barring: bar, now: ModelsCommand.now).from
                to = previous.version
            } else {
                to = try goBackToConfigured(settings, from: registry, &from)
            }
            ModelsCommand.warnUnlessFollowed(settings, registry)
            print("\(to) serves again" + (from.map { " instead of \($0)\(end)" } ?? ""))
        }
    }

    private func check(_ previous: RegistryEntry, _ settings: Settings) throws(UnderstudyError) {
        do throws(UnderstudyError) {
            try ModelsCommand.checkServes(.directory(previous.directory), settings)
        } catch {
            let advice =
                settings.redistill == nil
                ? "promote another version" : "--configured rolls back to the configured student"
            throw UnderstudyError(
                error.code, "the previous student, \(previous.version), can't serve: \(error.message); \(advice)",
                at: error.place ?? previous.directory)
        }
    }

    /// Returns the description of the student that serves then.
    private func goBackToConfigured(
        _ settings: Settings, from registry: StudentRegistry, _ from: inout String?
    ) throws(UnderstudyError) -> String {
        // Without re-distillation models.student is the registry's link, which must exist.
        guard settings.redistill != nil, let student = settings.configuredStudent else {
            throw UnderstudyError(
                .missingInput,
                "there is no previous student, and models.student is the link 'current' itself",
                at: registry.directory)
        }
        try ModelsCommand.checkServes(student, settings)
        from = try registry.rollbackToConfigured(barring: bar, now: ModelsCommand.now)
        guard case .directory(let path) = student else { return "the bundled student" }
        return "the configured student, \(PrintableText.escaped(path)),"
    }
}
