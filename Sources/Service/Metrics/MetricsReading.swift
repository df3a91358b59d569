/// The counters at one moment, together with how full things are and what the system says about the process.
public struct MetricsReading: Sendable {
    let state: MetricsState
    public var gauges: DaemonGauges
    public var process: ProcessFigures
    let version: String
    let flaws: [String]
    let startedAt: Double
    let startedMonotonic: Double
    let wall: Double
    let monotonic: Double

    public var uptimeSeconds: Double { max(0, monotonic - startedMonotonic) }

    /// Lines of all sources a second, over the last minute.
    public var linesPerSecond: Double {
        state.sources.reduce(0) { $0 + rate($1.pace) }
    }

    /// The share of the lines answered in the last minute that the student was unsure of; nil when there were none.
    public var deferralShare: Double? {
        let answered = rate(state.answeredPace)
        return answered > 0 ? min(1, rate(state.deferredPace) / answered) : nil
    }

    func rate(_ pace: TimeBuckets) -> Double {
        pace.rate(at: monotonic, since: startedMonotonic)
    }
}
