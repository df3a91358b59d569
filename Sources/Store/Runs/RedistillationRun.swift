/// The stored record of one run of re-distillation.
public struct RedistillationRun: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable, Codable {
        case running
        /// The candidate serves.
        case promoted
        /// The candidate passed the gate and answers beside the serving student.
        case shadowing
        /// The candidate passed the gate in a dry run.
        case passed
        case refused
        case failed
        /// Killed, or stopped on request.
        case interrupted

        /// Whether a run with this outcome has used up the log's rows: another run with the same rows would have the
        /// same result.
        var usesRows: Bool { [.promoted, .shadowing, .refused].contains(self) }
    }

    /// The findings, stored as they become known.
    public struct Content: Sendable, Equatable, Codable {
        /// One sentence.
        public var reason = ""
        public var candidate: String?
        public var parent: String?
        public var teacher: String?
        public var teacherFingerprint: String?
        public var rowsRead = 0
        public var rowsLearnt = 0
        public var rowsHeldOut = 0
        public var humanLabels = 0
        public var replayed = 0
        public var criteria: [GateCriterion] = []
        /// The report page.
        public var report: String?
        public var seconds = 0.0
        public var peakBytes = 0

        public init() {}
    }

    public var number: Int64
    /// Microseconds since 1970.
    public var started: Int64
    public var finished: Int64?
    public var outcome: Outcome
    public var isDryRun: Bool
    /// The highest row number of the log that it used.
    public var lastRow: Int64
    public var content = Content()

    public init(number: Int64, started: Int64, isDryRun: Bool) {
        self.number = number
        self.started = started
        self.isDryRun = isDryRun
        outcome = .running
        lastRow = 0
    }
}

/// One row of a gate's table: a requirement for a candidate, and the measured value.
public struct GateCriterion: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, CaseIterable, Codable {
        case passed
        case failed
        /// There was no data to measure it, or an earlier criterion had failed.
        case unmeasured
    }

    /// Machine-readable: snake_case, stable across releases.
    public var name: String
    /// For display.
    public var title: String
    public var measured: String
    public var threshold: String
    public var verdict: Verdict
    /// One sentence; may be empty.
    public var note: String

    public init(
        name: String, title: String, measured: String, threshold: String, verdict: Verdict, note: String = ""
    ) {
        self.name = name
        self.title = title
        self.measured = measured
        self.threshold = threshold
        self.verdict = verdict
        self.note = note
    }
}
