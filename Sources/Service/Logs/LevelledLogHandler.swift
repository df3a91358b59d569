import Logging

/// What our log handlers have in common: they share the daemon's level, and keep a logger's metadata.
package protocol LevelledLogHandler: LogHandler {
    var level: LogLevel { get }
}

extension LevelledLogHandler {
    /// One for the whole process: setting it on a logger sets it everywhere.
    package var logLevel: Logger.Level {
        get { level.current }
        set { level.current = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
