import ArgumentParser
import Diagnostics
import Models

/// `models promote`
struct ModelsPromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Lets a version serve; a model directory from elsewhere is taken in first.",
        discussion: "Lifts a bar: whoever does this knows better than the daemon that barred the version.")

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "A version, or a model directory (with a slash in its name).")
    var which: String

    @Flag(help: "Even if its labels aren't those of the student that serves.")
    var force = false

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let registry = ModelsCommand.registry(settings)
            let before = try registry.current()
            let entry =
                which.contains("/")
                ? try registry.adopt(directory: which, now: ModelsCommand.now) : try registry.entry(which)
            if let before, !force { try checkLabels(entry, before) }
            try registry.promote(entry.version, by: .person, now: ModelsCommand.now)
            ModelsCommand.warnUnlessFollowed(settings, registry)
            guard let before, before.version != entry.version else {
                return print("\(entry.version) serves")
            }
            print("\(entry.version) serves, \(before.version) before; 'understudy models rollback' takes it back")
        }
    }

    private func checkLabels(_ entry: RegistryEntry, _ before: RegistryEntry) throws(UnderstudyError) {
        func labels(_ entry: RegistryEntry) throws(UnderstudyError) -> Set<String> {
            Set(
                try StudentConfiguration(
                    ModelConfiguration(path: "\(entry.directory)/\(ModelDirectory.configuration)")
                ).labels)
        }
        guard try labels(entry) == labels(before) else {
            throw UnderstudyError(
                .invalidData,
                "has other labels than \(before.version), which serves; --force promotes it all the same",
                at: entry.directory)
        }
    }
}
