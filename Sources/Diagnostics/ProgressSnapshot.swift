/// Where a long piece of work stands at one moment.
public struct ProgressSnapshot: Sendable, Equatable {
    /// What is being done, as the reader is told it: `epoch 2/6`.
    public var stage: String
    /// What is counted: `lines`.
    public var unit: String
    /// Units done since the stage began.
    public var completed: Int
    /// Units in all; nil where it isn't known beforehand.
    public var total: Int?
    /// Time since the stage began.
    public var elapsed: Duration
    public var loss: Double?
    /// A share, 0 to 1.
    public var accuracy: Double?
    /// The share of the lines that went to the teacher, 0 to 1.
    public var deferred: Double?

    public init(
        stage: String, unit: String = "lines", completed: Int, total: Int?, elapsed: Duration, loss: Double? = nil,
        accuracy: Double? = nil
    ) {
        self.stage = stage
        self.unit = unit
        self.completed = completed
        self.total = total
        self.elapsed = elapsed
        self.loss = loss
        self.accuracy = accuracy
    }

    /// The share done, 0 to 1; nil without a total.
    public var share: Double? {
        guard let total, total > 0 else { return nil }
        return min(1, max(0, Double(completed) / Double(total)))
    }

    /// Units a second since the stage began; nil before anything is done.
    public var rate: Double? {
        let seconds = elapsed / .seconds(1)
        guard completed > 0, seconds > 0 else { return nil }
        return Double(completed) / seconds
    }

    /// The time left at the rate so far; nil where it can't be told.
    public var timeLeft: Duration? {
        guard let total, let rate else { return nil }
        return .seconds(Double(max(0, total - completed)) / rate)
    }
}
