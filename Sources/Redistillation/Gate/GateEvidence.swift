import Distillation

/// What was measured of a candidate, for the gate to judge. Pure values.
public struct GateEvidence: Sendable {
    /// A student's answers on the holdout, and what it costs.
    public struct Measured: Sendable {
        public var version: String
        /// Row-major (n, labels) on the holdout's lines.
        public var logits: [Float]
        /// The one that it serves with.
        public var temperature: Float
        /// Labels given to the log's held-out lines, (m).
        public var heldOut: [Int32]
        /// Expected calibration error on the holdout, a share.
        public var calibrationError: Double
        public var linesPerSecond: Double
        /// Of its weights.
        public var bytes: Int

        public init(
            version: String, logits: [Float], temperature: Float, heldOut: [Int32], calibrationError: Double,
            linesPerSecond: Double, bytes: Int
        ) {
            self.version = version
            self.logits = logits
            self.temperature = temperature
            self.heldOut = heldOut
            self.calibrationError = calibrationError
            self.linesPerSecond = linesPerSecond
            self.bytes = bytes
        }
    }

    public var labels: [String]
    /// (n) the holdout's labels, none unknown.
    public var truth: [Int32]
    /// Lines of the log to learn from, after everything was left out; and how many there must be.
    public var learnt: Int
    public var minimumLearnt: Int
    /// Lines to learn from by label, replayed ones included.
    public var learntPerLabel: [Int]
    /// Lines of the holdout that stand in the log too.
    public var overlap: Int
    /// How many of the log's logits were compared with the teacher's own, and how many held.
    public var logitsCompared: Int
    public var logitsHeld: Int
    /// The teacher's labels of the log's held-out lines, (m).
    public var heldOutTeacher: [Int32]
    /// nil before training.
    public var candidate: Measured?
    public var serving: Measured?
    /// The error among a student's own answers at which the teacher's load is compared, 0 … 1; nil: there is none.
    public var targetError: Double?
    /// Taught by labels alone, from the same beginning: its logits on the holdout. nil where there are too few labels.
    public var alone: [Float]?
    /// Epochs that the training came to, and whether the time ended it.
    public var epochs: Int
    public var wasCutShort: Bool

    public init(labels: [String], truth: [Int32]) {
        self.labels = labels
        self.truth = truth
        learnt = 0
        minimumLearnt = 0
        learntPerLabel = []
        overlap = 0
        logitsCompared = 0
        logitsHeld = 0
        heldOutTeacher = []
        epochs = 0
        wasCutShort = false
    }
}
