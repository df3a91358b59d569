import Logging

/// The metadata of one event from its three origins.
enum LogMetadata {
    /// Sorted by key. What the event says itself goes before what the logger carries, and that before the provider's.
    static func all(
        of event: LogEvent, handler: Logger.Metadata, provider: Logger.MetadataProvider?
    ) -> [(key: String, value: Logger.MetadataValue)] {
        var all = provider?.get() ?? [:]
        all.merge(handler) { _, newer in newer }
        all.merge(event.metadata ?? [:]) { _, newer in newer }
        return all.sorted { $0.key < $1.key }
    }
}
