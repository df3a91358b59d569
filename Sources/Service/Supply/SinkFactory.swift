import Configuration
import Diagnostics
import Streams

/// Creates the configured sinks.
struct SinkFactory: Sendable {
    let metrics: DaemonMetrics
    /// Stores a file's length before its first byte is written.
    let register: @Sendable (SinkLength) throws(UnderstudyError) -> Void
    let keeping: SinkKeeping
    let report: @Sendable (UnderstudyError) -> Void

    /// Opens as much as possible, so that a wrong path is found at the start and not at the first answer.
    func make(_ settings: SinkSettings) throws(UnderstudyError) -> SinkTarget {
        target(settings, try settings.kind.open(opening(settings.name, settings.whenFull)))
    }

    func make(_ settings: DeadLetterSettings) throws(UnderstudyError) -> SinkTarget {
        let name = SinkFactory.deadLetterName
        var kind = FileKind()
        kind.path = settings.path
        kind.permissions = settings.permissions
        return SinkTarget(
            name: name, kind: try kind.open(opening(name, .block)), whenFull: .block, metrics: metrics.sink(name))
    }

    /// Creates a sink that shares an open one.
    func target(_ settings: SinkSettings, _ opened: OpenedSink) -> SinkTarget {
        SinkTarget(
            name: settings.name, kind: opened, whenFull: settings.whenFull, metrics: metrics.sink(settings.name))
    }

    /// Name of the dead-letter file in metrics and state; no configured sink can have it.
    static let deadLetterName = "dead_letter"

    /// Returns the record format of each sink that has a file.
    static func forms(_ settings: Settings) -> [String: SinkForm] {
        var forms = [deadLetterName: SinkForm.deadLetters]
        for sink in settings.sinks { forms[sink.name] = sink.kind.storedForm }
        return forms
    }

    private func opening(_ name: String, _ whenFull: WhenFull) -> SinkOpening {
        SinkOpening(name: name, whenFull: whenFull, keeping: keeping, register: register, report: report)
    }
}
