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
        let drops = settings.whenFull == .drop
        let whenFull: WhenFull = drops ? .drop : .block
        let kind: SinkTarget.Kind
        switch settings.kind {
        case .stdout:
            kind = .flow(try StandardOutputSink(name: settings.name, whenFull: whenFull, report: report))
        case .file(let file, _):
            kind = .file(
                try self.file(
                    settings.name, path: file.path, permissions: file.permissions, syncs: file.sync == .commit))
        case .fifo(let path, let permissions, _):
            kind = .flow(
                try FIFOSink(
                    name: settings.name, path: path, permissions: permissions, whenFull: whenFull, report: report))
        case .socket(let path, _):
            kind = .flow(try SocketSink(name: settings.name, path: path, whenFull: whenFull, report: report))
        case .journald:
            kind = .flow(try JournalSink(name: settings.name, dropsWhenFull: drops))
        }
        return SinkTarget(name: settings.name, kind: kind, drops: drops, metrics: metrics.sink(settings.name))
    }

    func make(_ settings: DeadLetterSettings) throws(UnderstudyError) -> SinkTarget {
        let name = SinkFactory.deadLetterName
        let sink = try file(name, path: settings.path, permissions: settings.permissions, syncs: true)
        return SinkTarget(name: name, kind: .file(sink), drops: false, metrics: metrics.sink(name))
    }

    /// Name of the dead-letter file in metrics and state; no configured sink can have it.
    static let deadLetterName = "dead_letter"

    /// Returns the record format of each sink.
    static func forms(_ settings: Settings) -> [String: SinkForm] {
        var forms = [deadLetterName: SinkForm.deadLetters]
        for sink in settings.sinks {
            guard case .file(_, let layout) = sink.kind else { continue }
            switch layout.format {
            case .jsonl: forms[sink.name] = .json
            case .tsv: forms[sink.name] = .tsv
            case .label: forms[sink.name] = .any
            }
        }
        return forms
    }

    private func file(
        _ name: String, path: String, permissions: UInt32, syncs: Bool
    ) throws(UnderstudyError) -> FileSink {
        let template = try PathTemplate(path)
        let sink = FileSink(
            FileSink.Settings(name: name, path: template, permissions: permissions, syncs: syncs),
            keeping: keeping, register: register, report: report)
        if !template.usesLabel, !template.usesSource, !template.usesDate {
            _ = try sink.file(label: "", source: "", time: 0)
        }
        return sink
    }
}
