import Diagnostics

/// The overall state in a word and a sentence, shown first on the terminal and the page.
struct StatusHeadline: Equatable {
    enum Mood: String {
        case good
        case busy
        case attention
        case bad
    }

    var mood: Mood
    var title: String
    /// May be empty.
    var detail: String

    init(_ status: ServiceStatus) {
        detail = status.message
        switch status.phase {
        case .ready where status.warnings.isEmpty: (mood, title) = (.good, "All is well")
        case .ready:
            mood = .attention
            title = status.warnings.count == 1 ? "Running, with a warning" : "Running, with warnings"
        case .starting: (mood, title) = (.busy, "Starting")
        case .reloading: (mood, title) = (.busy, "Reloading")
        case .draining: (mood, title) = (.busy, "Draining")
        case .failed: (mood, title) = (.bad, "Failed")
        }
        if detail.isEmpty, status.phase == .ready, status.warnings.isEmpty {
            detail = "Lines are read, answered and committed."
        }
    }
}

/// Derives warnings from the numbers of a status.
enum StatusWarnings {
    /// By default a commit is made every 200 ms, so an older uncommitted answer means that commits are stuck.
    static let longestLagSeconds = 10.0

    static func about(_ oversight: MonitoringReading) -> [String] {
        var warnings: [String] = []
        if oversight.drift.verdict == .drifting, let index = oversight.drift.index {
            warnings.append(
                "The stream has drifted from the lines that the student was measured on: stability index "
                    + "\(MonitoringText.index(index, oversight.drift)), more than \(MonitoringText.limit(oversight.drift))."
            )
        }
        if let rollback = oversight.rollbacks.last {
            warnings.append("\(rollback.from) was rolled back to \(rollback.to): \(rollback.reason).")
        }
        return warnings
    }

    static func about(_ status: ServiceStatus) -> [String] {
        var warnings: [String] = []
        if status.delivery.checkpointLagSeconds > longestLagSeconds {
            let lag = NumberText.fixed(status.delivery.checkpointLagSeconds, digits: 0)
            warnings.append("Nothing has been committed for \(lag) s; see the log.")
        }
        switch status.teacher.circuit {
        case .closed: break
        case .halfOpen: warnings.append("The teacher failed and is being probed.")
        case .open: warnings.append("The teacher failed and is paused; the student answers alone.")
        }
        if status.trend == .falling {
            warnings.append("The teacher agrees less with the student than before: the text may have drifted.")
        }
        for sink in status.sinks where sink.droppedPerSecond > 0 {
            warnings.append("Sink \(sink.name) is full and drops \(NumberText.rate(sink.droppedPerSecond)) records/s.")
        }
        return warnings
    }
}
