import Logging

/// Events of a daemon that are worth an alert, each with a permanent id.
///
/// In the journal the id is the entry's `MESSAGE_ID`: `journalctl MESSAGE_ID=…` finds all events of a kind, whatever
/// their wording. Documented in docs/operations.md.
public enum DaemonEvent: String, Sendable, CaseIterable {
    /// The models are warmed up and the sources are read.
    case ready = "d71ca7a0883e427cba71cf4574eb3e41"
    /// A changed configuration is in force.
    case reloaded = "d4849503a44744bbafc25df6d756d0c9"
    /// A configuration was refused; the previous one is still in force.
    case reloadRefused = "bab6883b6701435c8c16274c76590744"
    /// Another student or teacher answers.
    case modelsSwapped = "61af78b1005040d08a59e45676ad3d74"
    /// A damaged state file was renamed.
    case stateDamaged = "01a5c5098de940d4951f404183eacba2"
    /// An output, a spool or the state has no room; work that depends on it waits.
    case diskFull = "9e8a0c4f8ebc49809fdea82c648a7895"
    /// The teacher failed and isn't used for a pause.
    case circuitOpened = "1513e0bb152448b0b391b338aae3c984"
    /// The teacher answers again.
    case circuitClosed = "01fcf28a7a84480db0979f420d2f1fb5"
    /// A promoted student agreed less with the teacher than the previous one and was rolled back.
    case rolledBack = "3f0f7a6c5b0f4c3fa0d7f3f1f8f2a9d4"
    /// A candidate in shadow mode was promoted or rejected.
    case shadowJudged = "8f4c1b7e2a0d4d5b9c63e7a1f05d2b48"
    /// The stream has drifted, and a re-distillation is requested.
    case drifted = "c2b7a4d19e5846fbb1a6c0de57f3e812"

    /// The event in a word or two, which start the message of an error.
    public var words: String {
        switch self {
        case .ready: "ready"
        case .reloaded: "reloaded"
        case .reloadRefused: "reload refused"
        case .modelsSwapped: "models swapped"
        case .stateDamaged: "state damaged"
        case .diskFull: "disk full"
        case .circuitOpened: "teacher failed"
        case .circuitClosed: "teacher recovered"
        case .rolledBack: "rolled back"
        case .shadowJudged: "shadow judged"
        case .drifted: "drifted"
        }
    }

    /// The metadata key of the event's id.
    package static let metadataKey = "MESSAGE_ID"
}

extension Logger {
    /// Logs `message` as an instance of `event`.
    public func log(
        level: Logger.Level, _ event: DaemonEvent, _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:],
        file: String = #fileID, function: String = #function, line: UInt = #line
    ) {
        log(
            level: level, message(),
            metadata: metadata().merging([DaemonEvent.metadataKey: "\(event.rawValue)"]) { _, id in id },
            file: file, function: function, line: line)
    }
}
