import ArgumentParser
import Diagnostics
import Models

/// `models rollback`
struct ModelsRollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Lets the student before serve again.")

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: ArgumentHelp("Why the other one is never to be promoted again by a run.", valueName: "reason"))
    var bar: String?

    func run() throws {
        let settings = try configuration.settings()
        try reporting { () throws(UnderstudyError) in
            let registry = ModelsCommand.registry(settings)
            let (from, to) = try registry.rollback(barring: bar, now: ModelsCommand.now)
            ModelsCommand.warnUnlessFollowed(settings, registry)
            print("\(to.version) serves again instead of \(from.version)\(bar == nil ? "" : ", which is barred")")
        }
    }
}
