/// `redistill:` and the blocks in it.
enum RedistillOptions {
    static let train = YAMLOption(
        required: "train", .path, example: "/var/lib/understudy/base/train.jsonl",
        "Base transfer set, JSON Lines. Each run replays a part of it, so that the student does not forget it.")
    static let holdout = YAMLOption(
        required: "holdout", .path, example: "/var/lib/understudy/base/holdout.jsonl",
        "Frozen labelled lines that the gate measures on, JSON Lines. They are never used for training.")
    static let registry = YAMLOption(
        "registry", .path, absent: "`students` in the state directory", example: "/var/lib/understudy/students",
        "Directory of the student versions, with the links `current` and `previous`.")
    static let reports = YAMLOption(
        "reports", .path, absent: "`reports` in the state directory", example: "/var/lib/understudy/reports",
        "Directory for the HTML report of each run.")
    static let minimumNewRows = DefaultedOption(
        "minimum_new_rows", .count(1...1_000_000_000), default: 500,
        "Minimum number of new rows in the log for a run to start.")
    static let start = DefaultedOption(
        "start", .choice, default: RedistillSettings.Start.warm,
        "Initial weights of a candidate: those of the serving student (`warm`), or random ones (`scratch`), which "
            + "takes longer.")
    static let epochs = DefaultedOption(
        "epochs", .count(1...1000), default: 6,
        "Number of passes over the training lines.")
    static let learningRate = DefaultedOption(
        "learning_rate", .number(0.000001...1), default: 0.001,
        "Peak learning rate of the optimiser, a number without a unit.")
    static let seed = DefaultedOption(
        "seed", .count(0...1_000_000_000), default: 0, "Seed of all random choices. Each run adds its number to it.")
    static let logRows = DefaultedOption(
        "log_rows", .count(1...10_000_000), default: 100_000,
        "Maximum number of log rows that a run trains on; the newest are taken. With replay_rows it bounds the time "
            + "and memory of a run.")
    static let replayRows = DefaultedOption(
        "replay_rows", .count(0...10_000_000), default: 20_000,
        "Number of lines of the base transfer set that a run trains on as well.")
    static let heldOutShare = DefaultedOption(
        "held_out_share", .number(0.01...0.5), default: 0.1,
        "Share of the log's texts that is held out for measuring, selected by a hash of the text.")
    static let threads = DefaultedOption(
        "threads", .count(1...256), default: 1,
        "Threads of a run. With one, the other processors are left to the daemon.")
    static let maximumMinutes = DefaultedOption(
        "maximum_minutes", .count(1...10_000), default: 120,
        "Maximum duration of a run, in minutes. Training that reaches the limit stops, and its best epoch goes to "
            + "the gate.")
    static let maximumMemoryMebibytes = DefaultedOption(
        "maximum_memory_mebibytes", .count(64...1_000_000), default: 2048,
        "Maximum resident memory of a run, in mebibytes. A run that exceeds it is aborted, and the serving student "
            + "is kept.")
    static let keepVersions = DefaultedOption(
        "keep_versions", .count(1...1000), default: 5,
        "Number of versions kept in the registry in addition to the serving and the previous one.")
    static let shadow = DefaultedOption(
        "shadow", .share, default: 0, example: "0.1",
        "Share of the lines that a candidate classifies in shadow mode before it is promoted. Its answers are not "
            + "emitted. 0 promotes it at once.")
    static let shadowLines = DefaultedOption(
        "shadow_lines", .count(1...1_000_000_000), default: 1000,
        "Number of lines classified by candidate, serving student and teacher after which the candidate is judged.")

    static let maximumAccuracyLoss = DefaultedOption(
        "maximum_accuracy_loss", .share, default: 0.002,
        "Maximum loss of accuracy on the holdout, as a share of its lines: 0.002 is 0.2 percentage points, within "
            + "the noise of a holdout.")
    static let maximumPossibleLoss = DefaultedOption(
        "maximum_possible_loss", .share, default: 0.03,
        "Maximum worst-case loss of accuracy at `confidence`, as a share of the lines. A holdout too small to "
            + "exclude this loss fails.")
    static let confidence = DefaultedOption(
        "confidence", .number(0.5...0.9999), default: 0.95,
        "Confidence level of the paired bootstrap, as a share; 0.95 is customary.")
    static let maximumRecallLoss = DefaultedOption(
        "maximum_recall_loss", .share, default: 0.05,
        "Maximum loss of recall of any class on the holdout, as a share: 0.05 is 5 percentage points.")
    static let maximumCalibrationError = DefaultedOption(
        "maximum_calibration_error", .share, default: 0.05,
        "Maximum expected calibration error on the holdout, as a share. If the serving student's is larger, that is "
            + "the limit.")
    static let maximumLoadGrowth = DefaultedOption(
        "maximum_load_growth", .number(0...100), default: 0.25,
        "Maximum growth of the number of deferred holdout lines at an equal error of the student's own answers, as a "
            + "ratio to the serving student's: 0.25 is 25 % more.")
    static let loadAllowance = DefaultedOption(
        "load_allowance", .share, default: 0.02,
        "Share of all lines that a candidate may defer in addition. A holdout can't resolve smaller differences.")
    static let maximumSlowdown = DefaultedOption(
        "maximum_slowdown", .share, default: 0.25,
        "Maximum loss of throughput (lines per second), as a share of the serving student's.")
    static let maximumGrowth = DefaultedOption(
        "maximum_growth", .number(0...100), default: 0.25,
        "Maximum growth of the weights' size in bytes, as a ratio to the serving student's: 0.25 is 25 % more.")
    static let minimumHoldoutRows = DefaultedOption(
        "minimum_holdout_rows", .count(1...1_000_000_000), default: 100,
        "Minimum number of labelled lines in the holdout.")
    static let minimumClassRows = DefaultedOption(
        "minimum_class_rows", .count(1...1_000_000_000), default: 5,
        "Minimum number of lines of every class in the holdout, and in the training lines.")
    static let maximumOverlap = DefaultedOption(
        "maximum_overlap", .share, default: 0.02,
        "Maximum share of the holdout's lines that are near duplicates of lines in the log. Such lines are never "
            + "used for training.")

    static let audits = DefaultedOption(
        "audits", .count(0...1_000_000_000), default: 2000,
        "Number of audited lines for which a promoted student is monitored; 0 turns monitoring off.")
    static let rollbackConfidence = DefaultedOption(
        "confidence", .number(0.5...0.999999), default: 0.99,
        "Confidence level, as a share, at which a promoted student must agree less with the teacher than the "
            + "previous one to be rolled back.")

    static let maximumIndex = DefaultedOption(
        "maximum_index", .number(0.001...100), default: RedistillSettings.customaryDriftIndex,
        "Population stability index (a number without a unit) of labels or confidences above which the stream has "
            + "drifted; 0.25 is customary.")
    static let minimumLines = DefaultedOption(
        "minimum_lines", .count(1...1_000_000_000), default: RedistillSettings.customaryDriftLines,
        "Minimum number of lines answered in the last day for drift to be judged.")
    static let startsRun = DefaultedOption(
        "starts_run", .flag, default: false,
        "Whether drift requests an early run, through a file that understudy-redistill.path watches.")

    static let gate = OptionBlock(
        "gate",
        options: [
            maximumAccuracyLoss.facts, maximumPossibleLoss.facts, confidence.facts, maximumRecallLoss.facts,
            maximumCalibrationError.facts, maximumLoadGrowth.facts, loadAllowance.facts, maximumSlowdown.facts,
            maximumGrowth.facts, minimumHoldoutRows.facts, minimumClassRows.facts, maximumOverlap.facts,
        ], "Conditions that a candidate must meet to be promoted.")
    static let rollback = OptionBlock(
        "rollback", options: [audits.facts, rollbackConfidence.facts], "When a promoted student is rolled back.")
    static let drift = OptionBlock(
        "drift", options: [maximumIndex.facts, minimumLines.facts, startsRun.facts],
        "When the stream counts as different from the training lines.")
    static let block = OptionBlock(
        "redistill", absence: .means("the student is never retrained"),
        options: [
            train.facts, holdout.facts, registry.facts, reports.facts, minimumNewRows.facts, start.facts, epochs.facts,
            learningRate.facts, seed.facts, logRows.facts, replayRows.facts, heldOutShare.facts, threads.facts,
            maximumMinutes.facts, maximumMemoryMebibytes.facts, keepVersions.facts, shadow.facts, shadowLines.facts,
        ], blocks: [gate, rollback, drift], "How a new student is trained on the disagreement log.")
}
