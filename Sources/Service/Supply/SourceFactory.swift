import Configuration
import Diagnostics
import Streams

/// Creates the configured sources.
struct SourceFactory: Sendable {
    let stateDirectory: String
    let inherited: InheritedDescriptors
    let checkpoints: @Sendable (_ source: String) throws(UnderstudyError) -> [FileCheckpoint]
    let report: @Sendable (UnderstudyError) -> Void

    func make(_ settings: SourceSettings) throws(UnderstudyError) -> any StreamSource {
        let source = try settings.kind.open(
            SourceOpening(
                settings: settings, stateDirectory: stateDirectory,
                inherited: { [inherited] in inherited.claim(fifo: $0) },
                checkpoints: checkpoints, report: report))
        guard settings.kind.isStream else { return source }
        return UnfinishedLine.resume(source, in: stateDirectory, report: report)
    }
}
