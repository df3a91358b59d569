import Diagnostics
import Glibc
import Logging

/// Where the daemon's log goes: the journal with structured fields when standard error leads there, else plain lines
/// on standard error.
public enum DaemonLogs {
    private static let level = LogLevel(.info)

    /// Sets up swift-log for the process. To be called once, before the first `Logger` is made.
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

    /// Changes what is logged from now on, by every logger.
    public static func setLevel(_ level: Logger.Level) {
        self.level.current = level
    }

    /// Whether `descriptor` is the stream that `JOURNAL_STREAM` names by device and inode (systemd.exec(5)): standard
    /// error may have been sent elsewhere since.
    package static func isJournal(_ descriptor: Int32, stream: String?) -> Bool {
        var status = stat()
        guard let stream, fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

extension Logger {
    /// Logs an error as its sentence, with its code and place as metadata; `noSpace` is the event `diskFull` by itself.
    /// Before the sentence stands what happened: `what`, else the event in words.
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
