/// How often two agreed.
public struct Agreement: Sendable, Equatable {
    /// How many were asked about.
    public var asked: Int
    public var agreed: Int

    public init(asked: Int = 0, agreed: Int = 0) {
        self.asked = asked
        self.agreed = agreed
    }

    /// nil where nothing was asked.
    public var share: Double? { asked > 0 ? Double(agreed) / Double(asked) : nil }
}

/// The agreement within a stretch of time.
public struct AgreementInterval: Sendable, Equatable {
    /// When it begins, microseconds since 1970.
    public var start: Int64
    public var agreement: Agreement

    public init(start: Int64, agreement: Agreement) {
        self.start = start
        self.agreement = agreement
    }
}

/// Figures over rows of the log.
public struct DisagreementStatistics: Sendable, Equatable {
    /// Lines that the student gave one label and the teacher another.
    public struct LabelPair: Sendable, Equatable {
        public var student: String
        public var teacher: String
        public var rows: Int
        /// The newest line of the kind.
        public var example: String
    }

    public var all = Agreement()
    /// Of the sure lines, of which a share was asked about: this one estimates how good the student's own answers are.
    public var audit = Agreement()
    public var deferred = Agreement()
    /// Days in UTC, oldest first, those without rows left out.
    public var days: [AgreementInterval] = []
    /// The most frequent first.
    public var pairs: [LabelPair] = []
    /// Of the lines that humans labelled, how often they agree with each model.
    public var humanWithStudent = Agreement()
    public var humanWithTeacher = Agreement()

    public init() {}

    public var humanLabels: Int { humanWithStudent.asked }
}
