/// How a new student is trained on the disagreement log, and when it is promoted.
public struct RedistillSettings: Sendable, Equatable {
    /// The initial weights of a candidate.
    public enum Start: String, Sendable, CaseIterable {
        /// The weights of the serving student.
        case warm
        /// Random weights.
        case scratch
    }

    /// Conditions that a candidate must meet. All are shares or ratios: 0.002 is 0.2 percentage points.
    public struct Gate: Sendable, Equatable {
        /// Maximum measured loss of accuracy on the holdout.
        public var maximumAccuracyLoss: Double
        /// Maximum worst-case loss of accuracy, at `confidence`.
        public var maximumPossibleLoss: Double
        /// Confidence level of the paired bootstrap.
        public var confidence: Double
        /// Maximum loss of recall of any class on the holdout.
        public var maximumRecallLoss: Double
        /// Maximum expected calibration error on the holdout.
        public var maximumCalibrationError: Double
        /// Maximum growth of the number of deferred lines at an equal error of the student's own answers, as a ratio to
        /// the serving student's.
        public var maximumLoadGrowth: Double
        /// Share of all lines that a candidate may defer in addition; a holdout can't resolve smaller differences.
        public var loadAllowance: Double
        /// Maximum loss of lines per second, as a share of the serving student's.
        public var maximumSlowdown: Double
        /// Maximum growth of the weights' size in bytes, as a ratio to the serving student's.
        public var maximumGrowth: Double
        public var minimumHoldoutRows: Int
        /// Minimum number of lines of every class, in the holdout and in the training lines.
        public var minimumClassRows: Int
        /// Maximum share of the holdout's lines that are near duplicates of lines in the log.
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

    /// When a promoted student is rolled back.
    public struct Rollback: Sendable, Equatable {
        /// Audited lines of the new student after which monitoring ends; 0: no monitoring.
        public var audits: Int
        /// Confidence level at which it must be worse than the previous student.
        public var confidence: Double
    }

    /// When the stream counts as different from the training lines.
    public struct Drift: Sendable, Equatable {
        /// Population stability index (a number without a unit) above which the stream has drifted.
        public var maximumIndex: Double
        /// Minimum number of answered lines for drift to be judged.
        public var minimumLines: Int
        /// Whether drift requests an early run.
        public var startsRun: Bool

        public init(maximumIndex: Double, minimumLines: Int = RedistillSettings.customaryDriftLines, startsRun: Bool) {
            self.maximumIndex = maximumIndex
            self.minimumLines = minimumLines
            self.startsRun = startsRun
        }
    }

    /// The customary limit above which a population has shifted (Siddiqi 2006).
    public static let customaryDriftIndex = 0.25

    /// Without drift the expected index is (bins − 1) · (1/n + 1/m) for n lines against a reference of m lines. For the
    /// 20 bins of confidence and a holdout of 300 lines it is 0.10 at 500 lines and 0.08 at 1000.
    public static let customaryDriftLines = 1000

    /// The base transfer set, JSON Lines.
    public var train: String
    /// The gate's frozen labelled lines, JSON Lines.
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
    /// Maximum number of log rows that a run trains on; the newest are taken.
    public var logRows: Int
    /// Lines of the base transfer set that a run trains on as well.
    public var replayRows: Int
    /// Share of the log's texts that is held out for measuring.
    public var heldOutShare: Double
    public var threads: Int
    public var maximumMinutes: Int
    public var maximumMemoryMebibytes: Int
    /// Versions kept in the registry in addition to the serving and the previous one.
    public var keepVersions: Int
    /// Share of the lines that a candidate classifies in shadow mode before it is promoted; 0 promotes it at once.
    public var shadow: Double
    /// Lines classified by candidate, serving student and teacher after which the candidate is judged.
    public var shadowLines: Int
    public var gate: Gate
    public var rollback: Rollback
    public var drift: Drift
}
