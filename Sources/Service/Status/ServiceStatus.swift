/// The daemon at one moment, for people and programs: what `/status`, the page and `understudy status` show.
///
/// Times are seconds since 1970, rates are of the last minute, counts are since the start.
public struct ServiceStatus: Sendable, Equatable, Codable {
    public struct Source: Sendable, Equatable, Codable {
        public var name: String
        public var lines = 0
        public var answered = 0
        public var blank = 0
        public var refused = 0
        public var dead = 0
        public var bytes = 0
        public var pendingLines = 0
        public var linesPerSecond = 0.0
    }

    public struct Sink: Sendable, Equatable, Codable {
        public var name: String
        public var records = 0
        public var bytes = 0
        public var dropped = 0
        public var recordsPerSecond = 0.0
        public var droppedPerSecond = 0.0
    }

    public struct Label: Sendable, Equatable, Codable {
        public var label: String
        public var answers = 0
    }

    public struct Totals: Sendable, Equatable, Codable {
        public var lines = 0
        public var answered = 0
        public var refused = 0
        public var dropped = 0
        public var linesPerSecond = 0.0
    }

    public struct Teacher: Sendable, Equatable, Codable {
        public var circuit = CircuitState.closed
        /// The share of answered lines that the student was unsure of, in the last minute; nil when there were none.
        public var deferralShare: Double?
        /// The same since the start.
        public var deferralShareSinceStart: Double?
        public var deferred = 0
        public var audited = 0
        /// Lines that it was wanted for and didn't answer.
        public var skipped = 0
        public var disagreements = 0
        /// Answers that carry its label.
        public var answers = 0
        public var queueLines = 0
    }

    public struct Latency: Sendable, Equatable, Codable {
        /// From reading a line to its answer being with the sinks; nil before the first.
        public var lineP50Seconds: Double?
        public var lineP99Seconds: Double?
        public var studentBatchP50Seconds: Double?
        public var teacherPassP50Seconds: Double?
    }

    public struct Delivery: Sendable, Equatable, Codable {
        public var jobsInFlight = 0
        public var uncommittedRecords = 0
        /// Age of the oldest answer that no commit covers.
        public var checkpointLagSeconds = 0.0
        public var failedCommits = 0
    }

    /// Lines a second over the last minutes, oldest first.
    public struct Pace: Sendable, Equatable, Codable {
        public var stepSeconds = 10.0
        public var linesPerSecond: [Double] = []
    }

    public var phase: ServicePhase
    /// Since when it is in that phase.
    public var since: Double
    /// One sentence about the phase; empty when there is nothing to say.
    public var message: String
    public var time: Double
    public var version: String
    public var pid: Int
    public var uptimeSeconds: Double
    public var residentBytes = 0
    public var studentModel: ModelInfo?
    public var teacherModel: ModelInfo?
    public var totals = Totals()
    public var sources: [Source] = []
    public var sinks: [Sink] = []
    public var teacher = Teacher()
    public var latency = Latency()
    public var delivery = Delivery()
    public var pace = Pace()
    /// Most frequent first.
    public var labels: [Label] = []
    /// The student's confidences in equal bins over 0 to 1.
    public var confidence: [Int] = []
    /// By hours, oldest first; hours without a check are left out.
    public var agreement: [AgreementBucket] = []
    /// Newest first.
    public var disagreements: [DisagreementSummary] = []
    /// How the student does; nil from a daemon that doesn't know.
    public var oversight: OversightReading?
    /// Sentences about what needs somebody's attention; empty when all is well.
    public var warnings: [String] = []

    public init(
        phase: ServicePhase, since: Double, message: String = "", time: Double, version: String, pid: Int,
        uptimeSeconds: Double
    ) {
        self.phase = phase
        self.since = since
        self.message = message
        self.time = time
        self.version = version
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
    }

    /// Whether the latest hours agree less than those before.
    public var trend: AgreementTrend { AgreementTrend(agreement, now: time) }
}

// In extensions, so that the memberwise ones stay.
extension ServiceStatus.Source {
    public init(name: String) { self.name = name }
}

extension ServiceStatus.Sink {
    public init(name: String) { self.name = name }
}

extension ServiceStatus.Label {
    public init(_ label: String) { self.label = label }
}
