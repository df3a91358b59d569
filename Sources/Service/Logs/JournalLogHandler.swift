import CSystemd
import Glibc
import Logging

/// Sends log events to the journal: `MESSAGE`, `PRIORITY`, `SYSLOG_IDENTIFIER`, the code location (`CODE_FILE` …), and
/// the metadata as `UNDERSTUDY_…` fields.
package struct JournalLogHandler: LevelledLogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package let level: ProcessLogLevel
    private let send: @Sendable ([[UInt8]]) -> Void

    /// `send` receives the fields of an entry, each as `NAME=value` with arbitrary bytes in the value.
    package init(level: ProcessLogLevel, send: @escaping @Sendable ([[UInt8]]) -> Void = Self.sendToJournal) {
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

    /// Entries that the journal refuses are lost, because there is no other place to report them.
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

/// Formats fields for the journal (systemd.journal-fields(7)).
package enum JournalField {
    package static let identifier = "understudy"

    /// Maximum length of a field name in the journal, in bytes.
    private static let longestName = 64

    package static func make(_ name: String, _ value: String) -> [UInt8] {
        Array(name.utf8) + [UInt8(ascii: "=")] + Array(value.utf8)
    }

    /// Returns `UNDERSTUDY_` and the key in upper case, with `_` for invalid characters.
    package static func name(ofKey key: String) -> String {
        var name = "UNDERSTUDY_"
        for scalar in key.unicodeScalars where name.utf8.count < longestName {
            switch scalar {
            case "A"..."Z", "0"..."9", "_": name.unicodeScalars.append(scalar)
            case "a"..."z": name += scalar.properties.uppercaseMapping
            default: name += "_"
            }
        }
        return name
    }

    /// The syslog priority of a level (RFC 5424 section 6.2.1). Information is 6, debugging 7.
    package static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
