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
        switch settings.kind {
        case .stdin(let spool):
            return try spooled(try StandardInputSource(name: settings.name), spool)
        case .fifo(let fifo):
            let source = try FIFOSource(
                name: settings.name, path: fifo.path, permissions: fifo.permissions,
                inherited: inherited.claim(fifo: fifo.path), report: report)
            return try spooled(source, fifo.spool)
        case .directory(let directory):
            return try DirectorySource(
                Self.settings(directory, of: settings), checkpoints: try checkpoints(settings.name), report: report)
        }
    }

    private func spooled(
        _ source: any StreamSource, _ spool: SpoolSettings?
    ) throws(UnderstudyError) -> any StreamSource {
        guard let spool else {
            return UnfinishedLine.resume(source, in: stateDirectory, report: report)
        }
        return try SpooledSource(
            source, spool: stateDirectory + "/spool", maximumBytes: UInt64(spool.maximumBytes),
            checkpoints: try checkpoints(source.name), report: report)
    }

    private static func settings(_ directory: DirectorySettings, of source: SourceSettings) -> DirectorySource.Settings
    {
        var settings = DirectorySource.Settings(name: source.name, path: directory.path)
        switch directory.mode {
        case .files(let after):
            settings.mode = .files
            switch after {
            case .keep: settings.after = .keep
            case .move(let to): settings.after = .move(to: to)
            case .delete: settings.after = .delete
            }
        case .tail(let start):
            settings.mode = .tail
            settings.start = start == .end ? .end : .beginning
        }
        settings.include = directory.include
        settings.exclude = directory.exclude
        settings.recursive = directory.recursive
        settings.pollSeconds = Double(directory.pollSeconds)
        settings.maximumLineBytes = source.maximumLineBytes
        settings.encoding = source.encoding.textEncoding
        return settings
    }
}
