/// One run of re-distillation, as it is kept.
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
        /// Killed, or asked to end.
        case interrupted

        /// Whether such a run has made use of the log's rows: another one with the same rows would say the same.
        var usesRows: Bool { [.promoted, .shadowing, .refused].contains(self) }
    }

    /// What was found out, as it becomes known.
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
        /// The page.
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
    /// The highest number of a row of the log that it had.
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
