/// How a new student is made from the disagreement log, and when it is let in.
public struct RedistillSettings: Sendable, Equatable {
    /// Which weights a new student begins with.
    public enum Start: String, Sendable, CaseIterable {
        /// Those of the serving student.
        case warm
        /// New ones.
        case scratch
    }

    /// What a new student must pass to be let in. All are shares: 0.002 is 0.2 percentage points.
    public struct Gate: Sendable, Equatable {
        /// Accuracy on the holdout that the new student may lose, as measured.
        public var maximumAccuracyLoss: Double
        /// Accuracy that it may have lost at worst, at `confidence`.
        public var maximumPossibleLoss: Double
        /// Confidence of the paired bootstrap.
        public var confidence: Double
        /// Recall that a class may lose on the holdout.
        public var maximumRecallLoss: Double
        /// Expected calibration error on the holdout.
        public var maximumCalibrationError: Double
        /// Lines deferred to the teacher at the same error among its own answers that it may gain, over the serving
        /// student's.
        public var maximumLoadGrowth: Double
        /// Share of all lines that it may defer on top of that: what a holdout can't tell apart.
        public var loadAllowance: Double
        /// Lines a second that it may lose.
        public var maximumSlowdown: Double
        /// Bytes of weights that it may gain.
        public var maximumGrowth: Double
        public var minimumHoldoutRows: Int
        /// Rows of every class in the holdout, and lines of every class to learn from.
        public var minimumClassRows: Int
        /// Share of the holdout's lines that may stand in the log too.
        public var maximumOverlap: Double

        public init(
            maximumAccuracyLoss: Double, maximumPossibleLoss: Double, confidence: Double, maximumRecallLoss: Double,
            maximumCalibrationError: Double, maximumLoadGrowth: Double, loadAllowance: Double, maximumSlowdown: Double,
            maximumGrowth: Double, minimumHoldoutRows: Int, minimumClassRows: Int, maximumOverlap: Double
        ) {
            self.maximumAccuracyLoss = maximumAccuracyLoss
            self.maximumPossibleLoss = maximumPossibleLoss
            self.confidence = confidence
            self.maximumRecallLoss = maximumRecallLoss
            self.maximumCalibrationError = maximumCalibrationError
            self.maximumLoadGrowth = maximumLoadGrowth
            self.loadAllowance = loadAllowance
            self.maximumSlowdown = maximumSlowdown
            self.maximumGrowth = maximumGrowth
            self.minimumHoldoutRows = minimumHoldoutRows
            self.minimumClassRows = minimumClassRows
            self.maximumOverlap = maximumOverlap
        }
    }

    /// When a promoted student is taken back.
    public struct Rollback: Sendable, Equatable {
        /// Audited lines of the new student after which it is no longer followed; 0: never followed.
        public var audits: Int
        /// Confidence at which it must be worse than the one before.
        public var confidence: Double
    }

    /// When the stream no longer looks like what the student learnt from.
    public struct Drift: Sendable, Equatable {
        /// Population stability index above which the stream has drifted.
        public var maximumIndex: Double
        /// Lines that must have been answered before drift is judged.
        public var minimumLines: Int
        /// Whether drift asks for a run before its time.
        public var startsRun: Bool

        public init(maximumIndex: Double, minimumLines: Int = RedistillSettings.customaryDriftLines, startsRun: Bool) {
            self.maximumIndex = maximumIndex
            self.minimumLines = minimumLines
            self.startsRun = startsRun
        }
    }

    /// Above it a population is said to have moved (Siddiqi 2006).
    public static let customaryDriftIndex = 0.25

    /// Without any drift the index is (bins − 1) · (1/n + 1/m) on average, for n lines against a reference of m: for the
    /// 20 bins of confidence and a holdout of 300 lines 0.10 at 500 lines, and 0.08 at 1000.
    public static let customaryDriftLines = 1000

    /// The base transfer set, JSON Lines.
    public var train: String
    /// The frozen labelled lines of the gate, JSON Lines.
    public var holdout: String
    /// nil: `students` in the state directory.
    public var registry: String?
    /// nil: `reports` in the state directory.
    public var reports: String?
    public var minimumNewRows: Int
    public var start: Start
    public var epochs: Int
    public var learningRate: Double
    public var seed: Int
    /// The newest rows of the log that a run learns from.
    public var logRows: Int
    /// Lines of the base transfer set that a run learns from as well.
    public var replayRows: Int
    /// Share of the log's texts that is kept for measuring.
    public var heldOutShare: Double
    public var threads: Int
    public var maximumMinutes: Int
    public var maximumMemoryMebibytes: Int
    /// Versions that stay in the registry, besides the serving one and the one before.
    public var keepVersions: Int
    /// Share of the lines that a candidate answers beside the serving student before it is promoted; 0: promoted at once.
    public var shadow: Double
    /// Lines that the teacher saw too after which the shadow is judged.
    public var shadowLines: Int
    public var gate: Gate
    public var rollback: Rollback
    public var drift: Drift
}
