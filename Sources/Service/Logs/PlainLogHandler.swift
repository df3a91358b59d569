import Diagnostics
import Glibc
import Logging

/// Writes log events as readable lines, one per event:
///
///     2026-11-25T12:00:00Z info     message key=value other="a value with spaces"
///
/// The time is UTC. Control characters are escaped as `\n` or `\u{1b}`, so untrusted text can't break a line or send
/// control sequences to the terminal.
package struct PlainLogHandler: LevelledLogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package let level: ProcessLogLevel
    private let isColoured: Bool
    private let now: @Sendable () -> time_t
    private let write: @Sendable (String) -> Void

    package init(
        level: ProcessLogLevel, isColoured: Bool, now: @escaping @Sendable () -> time_t = { time(nil) },
        write: @escaping @Sendable (String) -> Void = StandardError.write
    ) {
        self.level = level
        self.isColoured = isColoured
        self.now = now
        self.write = write
    }

    package func log(event: LogEvent) {
        var line = coloured(Self.timestamp(now()), "2") + " "
        let name = event.level.rawValue
        // Padded to the longest name, `critical`.
        line += coloured(name, Self.colour(of: event.level)) + String(repeating: " ", count: 9 - name.utf8.count)
        line += VisibleText.message(event.message.description)
        if let error = event.error { line += " " + pair("error", "\(error)") }
        for (key, value) in LogMetadata.all(of: event, handler: metadata, provider: metadataProvider)
        where key != DaemonEvent.metadataKey {
            line += " " + pair(key, value.description)
        }
        write(line + "\n")
    }

    private func pair(_ key: String, _ value: String) -> String {
        coloured(VisibleText.message(key) + "=", "2") + VisibleText.value(value)
    }

    private func coloured(_ text: String, _ colour: String?) -> String {
        guard isColoured, let colour else { return text }
        return "\u{1b}[\(colour)m\(text)\u{1b}[0m"
    }

    /// The terminal colour of a level (ECMA-48 SGR); nil for the default.
    private static func colour(of level: Logger.Level) -> String? {
        switch level {
        case .trace, .debug: "2"
        case .info: nil
        case .notice: "1"
        case .warning: "33"
        case .error, .critical: "1;31"
        }
    }

    private static func timestamp(_ seconds: time_t) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let capacity = 32
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            let length = strftime(buffer.baseAddress, capacity, "%Y-%m-%dT%H:%M:%SZ", &parts)
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(length), as: UTF8.self)
        }
    }
}

/// Makes untrusted text safe for a log line.
package enum VisibleText {
    /// Escapes control and format characters and line separators.
    package static func message(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars { append(scalar, to: &shown) }
        return shown
    }

    /// Does the same and adds quotes if the text is empty or contains a space, a quote, a backslash or `=`.
    package static func value(_ text: String) -> String {
        let needsQuotes = text.isEmpty || text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        guard needsQuotes else { return message(text) }
        var shown = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { shown += "\\" }
            append(scalar, to: &shown)
        }
        return shown + "\""
    }

    private static func append(_ scalar: Unicode.Scalar, to shown: inout String) {
        switch scalar {
        case "\n": shown += "\\n"
        case "\r": shown += "\\r"
        case "\t": shown += "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                shown += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
    }
}
