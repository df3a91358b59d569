extension RedistillSettings {
    /// Conditions that a candidate must meet. All are shares or ratios: 0.002 is 0.2 percentage points.
    public struct Gate: SettingsBlock {
        /// Maximum measured loss of accuracy on the holdout.
        public var maximumAccuracyLoss = 0.002
        /// Maximum worst-case loss of accuracy, at `confidence`.
        public var maximumPossibleLoss = 0.03
        /// Confidence level of the paired bootstrap.
        public var confidence = 0.95
        /// Maximum loss of recall of any class on the holdout.
        public var maximumRecallLoss = 0.05
        /// Maximum expected calibration error on the holdout.
        public var maximumCalibrationError = 0.05
        /// Maximum growth of the number of deferred lines at an equal error of the student's own answers, as a ratio to
        /// the serving student's.
        public var maximumLoadGrowth = 0.25
        /// Share of all lines that a candidate may defer in addition; a holdout can't resolve smaller differences.
        public var loadAllowance = 0.02
        /// Maximum loss of lines per second, as a share of the serving student's.
        public var maximumSlowdown = 0.25
        /// Maximum growth of the weights' size in bytes, as a ratio to the serving student's.
        public var maximumGrowth = 0.25
        public var minimumHoldoutRows = 100
        /// Minimum number of lines of every class, in the holdout and in the training lines.
        public var minimumClassRows = 5
        /// Maximum share of the holdout's lines that are near duplicates of lines in the log.
        public var maximumOverlap = 0.02

        public init() {}

        package static let block = Block<Gate>(
            "gate", "Conditions that a candidate must meet to be promoted."
        ) {
            BlockOption(
                "maximum_accuracy_loss", .share, at: \.maximumAccuracyLoss, reload: .live,
                "Maximum loss of accuracy on the holdout, as a share of its lines: 0.002 is 0.2 percentage points, within "
                    + "the noise of a holdout.")
            BlockOption(
                "maximum_possible_loss", .share, at: \.maximumPossibleLoss, reload: .live,
                "Maximum worst-case loss of accuracy at `confidence`, as a share of the lines. A holdout too small to "
                    + "exclude this loss fails.")
            BlockOption(
                "confidence", .share(0.5...0.9999), at: \.confidence, reload: .live,
                "Confidence level of the paired bootstrap, as a share; 0.95 is customary.")
            BlockOption(
                "maximum_recall_loss", .share, at: \.maximumRecallLoss, reload: .live,
                "Maximum loss of recall of any class on the holdout, as a share: 0.05 is 5 percentage points.")
            BlockOption(
                "maximum_calibration_error", .share, at: \.maximumCalibrationError, reload: .live,
                "Maximum expected calibration error on the holdout, as a share. If the serving student's is larger, that is "
                    + "the limit.")
            BlockOption(
                "maximum_load_growth", .number(0...100, .ratio), at: \.maximumLoadGrowth, reload: .live,
                "Maximum growth of the number of deferred holdout lines at an equal error of the student's own answers, as a "
                    + "ratio to the serving student's: 0.25 is 25 % more.")
            BlockOption(
                "load_allowance", .share, at: \.loadAllowance, reload: .live,
                "Share of all lines that a candidate may defer in addition. A holdout can't resolve smaller differences."
            )
            BlockOption(
                "maximum_slowdown", .share, at: \.maximumSlowdown, reload: .live,
                "Maximum loss of throughput (lines per second), as a share of the serving student's.")
            BlockOption(
                "maximum_growth", .number(0...100, .ratio), at: \.maximumGrowth, reload: .live,
                "Maximum growth of the weights' size in bytes, as a ratio to the serving student's: 0.25 is 25 % more.")
            BlockOption(
                "minimum_holdout_rows", .count(1...1_000_000_000, .rows), at: \.minimumHoldoutRows, reload: .live,
                "Minimum number of labelled lines in the holdout.")
            BlockOption(
                "minimum_class_rows", .count(1...1_000_000_000, .rows), at: \.minimumClassRows, reload: .live,
                "Minimum number of lines of every class in the holdout, and in the training lines.")
            BlockOption(
                "maximum_overlap", .share, at: \.maximumOverlap, reload: .live,
                "Maximum share of the holdout's lines that are near duplicates of lines in the log. Such lines are never "
                    + "used for training.")
        }

    }
}

extension RedistillSettings {
    /// When a promoted student is rolled back.
    public struct Rollback: SettingsBlock {
        /// Audited lines of the new student after which monitoring ends; 0: no monitoring.
        public var audits = 2000
        /// Confidence level at which it must be worse than the previous student.
        public var confidence = 0.99

        public init() {}

        package static let block = Block<Rollback>(
            "rollback", "When a promoted student is rolled back."
        ) {
            BlockOption(
                "audits", .count(0...1_000_000_000), at: \.audits, reload: .live,
                "Number of audited lines for which a promoted student is monitored; 0 turns monitoring off.")
            BlockOption(
                "confidence", .share(0.5...0.999999), at: \.confidence, reload: .live,
                "Confidence level, as a share, at which a promoted student must agree less with the teacher than the "
                    + "previous one to be rolled back.")
        }

    }

    /// When the stream counts as different from the training lines.
    public struct Drift: SettingsBlock {
        /// Population stability index (a number without a unit) above which the stream has drifted.
        public var maximumIndex = RedistillSettings.customaryDriftIndex
        /// Minimum number of answered lines for drift to be judged.
        public var minimumLines = RedistillSettings.customaryDriftLines
        /// Whether drift requests an early run.
        public var startsRun = false

        public init() {}

        package static let block = Block<Drift>(
            "drift", "When the stream counts as different from the training lines."
        ) {
            BlockOption(
                "maximum_index", .number(0.001...100), at: \.maximumIndex, reload: .live,
                "Population stability index (a number without a unit) of labels or confidences above which the stream has "
                    + "drifted; 0.25 is customary.")
            BlockOption(
                "minimum_lines", .count(1...1_000_000_000, .lines), at: \.minimumLines, reload: .live,
                "Minimum number of lines answered in the last day for drift to be judged.")
            BlockOption(
                "starts_run", .flag, at: \.startsRun, reload: .live,
                "Whether drift requests an early run, through a file that understudy-redistill.path watches.")
        }

    }
}
