import Diagnostics
import Glibc
import Logging
import Synchronization

/// Sets up the daemon's log: the journal with structured fields if standard error is connected to it, else plain lines
/// on standard error.
public enum DaemonLogs {
    private static let level = ProcessLogLevel(.info)

    /// Sets up swift-log for the process. Must be called once, before the first `Logger` is created.
    public static func bootstrap(level: Logger.Level) {
        setLevel(level)
        let isJournal = isJournal(STDERR_FILENO, stream: EnvironmentVariable.value("JOURNAL_STREAM"))
        let isColoured =
            isatty(STDERR_FILENO) == 1 && EnvironmentVariable.value("TERM") != "dumb"
            && EnvironmentVariable.value("NO_COLOR") == nil
        LoggingSystem.bootstrap { _ in
            if isJournal { return JournalLogHandler(level: Self.level) }
            return PlainLogHandler(level: Self.level, isColoured: isColoured)
        }
    }

    /// Sets the level of all loggers.
    public static func setLevel(_ level: Logger.Level) {
        self.level.current = level
    }

    /// Returns whether `descriptor` is the stream that `JOURNAL_STREAM` identifies by device and inode
    /// (systemd.exec(5)): standard error may have been redirected.
    package static func isJournal(_ descriptor: Int32, stream: String?) -> Bool {
        var status = stat()
        guard let stream, fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

extension Logger {
    /// Logs an error as a sentence, with its code and place as metadata; `noSpace` is always the event `diskFull`. The
    /// sentence starts with `what`, else with the event's words.
    public func report(
        _ error: UnderstudyError, level: Logger.Level = .error, event: DaemonEvent? = nil, what: String? = nil,
        metadata: Logger.Metadata = [:], file: String = #fileID, function: String = #function, line: UInt = #line
    ) {
        var all = metadata
        all["code"] = "\(error.code)"
        if let place = error.place { all["place"] = "\(place)" }
        let event = event ?? (error.code == .noSpace ? .diskFull : nil)
        if let event { all[DaemonEvent.metadataKey] = "\(event.rawValue)" }
        let words = [what, event?.words].compactMap { $0 }.first.map { $0 + ": " } ?? ""
        log(level: level, "\(words)\(error.message)", metadata: all, file: file, function: function, line: line)
    }
}

/// A log handler with the daemon's level and its own metadata.
package protocol LevelledLogHandler: LogHandler {
    var level: ProcessLogLevel { get }
}

extension LevelledLogHandler {
    /// The level of the whole process: setting it on one logger sets it for all.
    package var logLevel: Logger.Level {
        get { level.current }
        set { level.current = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}

/// The minimum level of the process, changed by reloads.
package final class ProcessLogLevel: Sendable {
    private let place: Atomic<Int>

    package init(_ level: Logger.Level) {
        place = Atomic(Self.place(of: level))
    }

    package var current: Logger.Level {
        get { Logger.Level.allCases[place.load(ordering: .relaxed)] }
        set { place.store(Self.place(of: newValue), ordering: .relaxed) }
    }

    private static func place(of level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }
}

/// Merges the metadata of an event from its three origins.
enum LogMetadata {
    /// Returns the metadata sorted by key. Values of the event override those of the logger, which override those of
    /// the provider.
    static func all(
        of event: LogEvent, handler: Logger.Metadata, provider: Logger.MetadataProvider?
    ) -> [(key: String, value: Logger.MetadataValue)] {
        var all = provider?.get() ?? [:]
        all.merge(handler) { _, newer in newer }
        all.merge(event.metadata ?? [:]) { _, newer in newer }
        return all.sorted { $0.key < $1.key }
    }
}
