import Diagnostics

/// What the numbers of a status say should be looked at.
enum StatusWarnings {
    /// A commit comes every 200 ms by default: an answer that old means that committing is stuck.
    static let longestLagSeconds = 10.0

    static func about(_ oversight: OversightReading) -> [String] {
        var warnings: [String] = []
        if oversight.drift.verdict == .drifting, let index = oversight.drift.index {
            warnings.append(
                "The stream has drifted from what the student knows: stability index "
                    + "\(OversightText.index(index, oversight.drift)), more than \(OversightText.limit(oversight.drift))."
            )
        }
        if let rollback = oversight.rollbacks.last {
            warnings.append("\(rollback.from) was taken back, \(rollback.to) answers again: \(rollback.reason).")
        }
        return warnings
    }

    static func about(_ status: ServiceStatus) -> [String] {
        var warnings: [String] = []
        if status.delivery.checkpointLagSeconds > longestLagSeconds {
            let lag = NumberText.fixed(status.delivery.checkpointLagSeconds, digits: 0)
            warnings.append("Nothing has been committed for \(lag) s; see the log for why.")
        }
        switch status.teacher.circuit {
        case .closed: break
        case .halfOpen: warnings.append("The teacher failed and is being tried again.")
        case .open: warnings.append("The teacher failed and is left alone for a while; the student answers alone.")
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
