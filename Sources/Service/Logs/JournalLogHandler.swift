import CSystemd
import Glibc
import Logging

/// Sends log events to the journal: `MESSAGE`, `PRIORITY`, `SYSLOG_IDENTIFIER`, where in the code (`CODE_FILE` …), and
/// the metadata as `UNDERSTUDY_…` fields.
package struct JournalLogHandler: LevelledLogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package let level: LogLevel
    private let send: @Sendable ([[UInt8]]) -> Void

    /// `send` takes an entry's fields, each as `NAME=value` with a value of any bytes.
    package init(level: LogLevel, send: @escaping @Sendable ([[UInt8]]) -> Void = Self.sendToJournal) {
        self.level = level
        self.send = send
    }

    package func log(event: LogEvent) {
        var fields = [
            JournalField.make("MESSAGE", event.message.description),
            JournalField.make("PRIORITY", "\(JournalField.priority(of: event.level))"),
            JournalField.make("SYSLOG_IDENTIFIER", JournalField.identifier),
            JournalField.make("CODE_FILE", event.file),
            JournalField.make("CODE_LINE", "\(event.line)"),
            JournalField.make("CODE_FUNC", event.function),
        ]
        if let error = event.error { fields.append(JournalField.make("UNDERSTUDY_ERROR", "\(error)")) }
        for (key, value) in LogMetadata.all(of: event, handler: metadata, provider: metadataProvider) {
            let name = key == DaemonEvent.metadataKey ? key : JournalField.name(ofKey: key)
            fields.append(JournalField.make(name, value.description))
        }
        send(fields)
    }

    /// What the journal doesn't take is lost: there is no better place left to say so.
    @Sendable package static func sendToJournal(_ fields: [[UInt8]]) {
        let joined = UnsafeMutableRawBufferPointer.allocate(
            byteCount: fields.reduce(0) { $0 + $1.count }, alignment: 1)
        defer { joined.deallocate() }
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: fields.count) { vectors in
            var rest = joined[...]
            for (index, field) in fields.enumerated() {
                let place = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(field.count))
                place.copyBytes(from: field)
                vectors.initializeElement(at: index, to: iovec(iov_base: place.baseAddress, iov_len: place.count))
                rest = rest.dropFirst(field.count)
            }
            _ = sd_journal_sendv(vectors.baseAddress, Int32(vectors.count))
        }
    }
}
