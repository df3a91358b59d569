/// All that is counted. A value: a reading is a copy of it.
struct MetricsState: Sendable {
    /// What came of a source's lines.
    struct Source: Sendable {
        let name: String
        var lines = 0
        var answered = 0
        var blank = 0
        var flaws: [Int]
        var dead = 0
        var bytes = 0
        var pace = MetricsState.pace()
    }

    struct Sink: Sendable {
        let name: String
        var totals = SinkMetrics()
        var pace = MetricsState.pace()
        var droppedPace = MetricsState.pace()
    }

    /// The last minute by seconds, and the second that still grows.
    static func pace() -> TimeBuckets { TimeBuckets(seconds: 1, count: 61) }

    var sources: [Source] = []
    var sinks: [Sink] = []
    var labels: [String] = []
    var predictions: [Int] = []
    var byTeacher = 0
    var deferred = 0
    var audited = 0
    var skippedFull = 0
    var skippedBroken = 0
    var skippedTimeout = 0
    var deferredDisagreements = 0
    var auditAnswered = 0
    var auditAgreed = 0
    var studentBatchLines = Histogram(bounds: Histogram.linesBounds)
    var studentSeconds = Histogram(bounds: Histogram.secondsBounds)
    var teacherBatchLines = Histogram(bounds: Histogram.linesBounds)
    var teacherSeconds = Histogram(bounds: Histogram.secondsBounds)
    var lineLatency = Histogram(bounds: Histogram.secondsBounds)
    var confidence = Histogram(bounds: Histogram.confidenceBounds)
    var commits = 0
    var failedCommits = 0
    var commitSeconds = Histogram(bounds: Histogram.secondsBounds)
    var student: ModelInfo?
    var teacher: ModelInfo?
    var swaps = 0
    var failedSwaps = 0
    var reloads = 0
    var failedReloads = 0
    /// The start counts: a daemon that runs has taken up a configuration.
    var lastReloadSucceeded = true
    /// Seconds since 1970; nil: the start was the last.
    var lastReloadSuccess: Double?
    var circuit = CircuitState.closed
    /// By the state that was entered.
    var transitions = [Int](repeating: 0, count: CircuitState.allCases.count)

    var answeredPace = MetricsState.pace()
    var deferredPace = MetricsState.pace()
    /// Ten minutes in steps of ten seconds, for the page's chart.
    var recentLines = TimeBuckets(seconds: 10, count: 61)
    /// Two days by hours.
    var auditAnsweredByHour = TimeBuckets(seconds: 3600, count: 48)
    var auditAgreedByHour = TimeBuckets(seconds: 3600, count: 48)
}
