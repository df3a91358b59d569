/// `redistill:` and the blocks in it.
enum RedistillOptions {
    static let train = YAMLOption(
        required: "train", .path, example: "/var/lib/understudy/base/train.jsonl",
        "The base transfer set, JSON Lines; part of it is replayed so that nothing is forgotten.")
    static let holdout = YAMLOption(
        required: "holdout", .path, example: "/var/lib/understudy/base/holdout.jsonl",
        "The frozen labelled lines that the gate measures on, JSON Lines. Nothing is ever learnt from them.")
    static let registry = YAMLOption(
        "registry", .path, absent: "`students` in the state directory", example: "/var/lib/understudy/students",
        "The directory of the students' versions, with the links `current` and `previous`.")
    static let reports = YAMLOption(
        "reports", .path, absent: "`reports` in the state directory", example: "/var/lib/understudy/reports",
        "Where each run leaves its report, a page of HTML.")
    static let minimumNewRows = DefaultedOption(
        "minimum_new_rows", .count(1...1_000_000_000), default: 500,
        "Rows that must be new in the log before a run is worth its time.")
    static let start = DefaultedOption(
        "start", .choice, default: RedistillSettings.Start.warm,
        "Which weights a new student begins with: the serving student's, or new ones, which takes longer.")
    static let epochs = DefaultedOption("epochs", .count(1...1000), default: 6, "Passes over the lines.")
    static let learningRate = DefaultedOption(
        "learning_rate", .number(0.000001...1), default: 0.001, "The rate of the optimiser's steps.")
    static let seed = DefaultedOption(
        "seed", .count(0...1_000_000_000), default: 0, "Seed of all random choices; a run adds its number.")
    static let logRows = DefaultedOption(
        "log_rows", .count(1...10_000_000), default: 100_000,
        "The newest rows of the log that a run learns from; with replay_rows they bound its time and memory.")
    static let replayRows = DefaultedOption(
        "replay_rows", .count(0...10_000_000), default: 20_000,
        "Lines of the base transfer set that a run learns from as well.")
    static let heldOutShare = DefaultedOption(
        "held_out_share", .number(0.01...0.5), default: 0.1,
        "Share of the log's texts that is kept for measuring, chosen by a hash of the text.")
    static let threads = DefaultedOption(
        "threads", .count(1...256), default: 1, "Threads of a run; one leaves the others to the daemon.")
    static let maximumMinutes = DefaultedOption(
        "maximum_minutes", .count(1...10_000), default: 120,
        "How long a run may take. A training that is cut short goes to the gate with its best epoch.")
    static let maximumMemoryMebibytes = DefaultedOption(
        "maximum_memory_mebibytes", .count(64...1_000_000), default: 2048,
        "Resident memory at which a run gives up, and the serving student stays.")
    static let keepVersions = DefaultedOption(
        "keep_versions", .count(1...1000), default: 5,
        "Versions that stay in the registry besides the serving one and the one before.")
    static let shadow = DefaultedOption(
        "shadow", .share, default: 0, example: "0.1",
        "Share of the lines that a candidate answers, unheard, beside the serving student before it is promoted.")
    static let shadowLines = DefaultedOption(
        "shadow_lines", .count(1...1_000_000_000), default: 1000,
        "Lines answered by candidate, serving student and teacher after which the candidate is judged.")

    static let maximumAccuracyLoss = DefaultedOption(
        "maximum_accuracy_loss", .share, default: 0.002,
        "Accuracy on the holdout that a new student may lose, as a share: two lines in a thousand are within the noise "
            + "of a holdout.")
    static let maximumPossibleLoss = DefaultedOption(
        "maximum_possible_loss", .share, default: 0.03,
        "Accuracy that it may have lost at worst, at the stated confidence: a holdout that is too small to tell fails.")
    static let confidence = DefaultedOption(
        "confidence", .number(0.5...0.9999), default: 0.95,
        "Confidence of the paired bootstrap, as a share: the customary one.")
    static let maximumRecallLoss = DefaultedOption(
        "maximum_recall_loss", .share, default: 0.05, "Recall on the holdout that any class may lose, as a share.")
    static let maximumCalibrationError = DefaultedOption(
        "maximum_calibration_error", .share, default: 0.05,
        "Expected calibration error on the holdout, or the serving student's where that is larger.")
    static let maximumLoadGrowth = DefaultedOption(
        "maximum_load_growth", .number(0...100), default: 0.25,
        "Lines deferred to the teacher on the holdout, at the same error among the student's own answers, that it may "
            + "gain, as a share of the serving student's.")
    static let loadAllowance = DefaultedOption(
        "load_allowance", .share, default: 0.02,
        "Share of all lines that it may defer on top of that: fewer a holdout can't tell apart.")
    static let maximumSlowdown = DefaultedOption(
        "maximum_slowdown", .share, default: 0.25, "Lines a second that a new student may lose, as a share.")
    static let maximumGrowth = DefaultedOption(
        "maximum_growth", .number(0...100), default: 0.25, "Bytes of weights that it may gain, as a share.")
    static let minimumHoldoutRows = DefaultedOption(
        "minimum_holdout_rows", .count(1...1_000_000_000), default: 100, "Labelled lines that the holdout must have.")
    static let minimumClassRows = DefaultedOption(
        "minimum_class_rows", .count(1...1_000_000_000), default: 5,
        "Lines that every class must have in the holdout, and among those learnt from.")
    static let maximumOverlap = DefaultedOption(
        "maximum_overlap", .share, default: 0.02,
        "Share of the holdout's lines that may stand in the log too, nearly the same; they are never learnt from.")

    static let audits = DefaultedOption(
        "audits", .count(0...1_000_000_000), default: 2000,
        "Audited lines for which a promoted student is followed; 0: not at all.")
    static let rollbackConfidence = DefaultedOption(
        "confidence", .number(0.5...0.999999), default: 0.99,
        "Confidence at which it must agree less with the teacher than the one before, to be taken back.")

    static let maximumIndex = DefaultedOption(
        "maximum_index", .number(0.001...100), default: RedistillSettings.customaryDriftIndex,
        "Population stability index of labels or confidence above which the stream has drifted; 0.25 is customary.")
    static let minimumLines = DefaultedOption(
        "minimum_lines", .count(1...1_000_000_000), default: RedistillSettings.customaryDriftLines,
        "Lines that must have been answered in the last day before drift is judged.")
    static let startsRun = DefaultedOption(
        "starts_run", .flag, default: false,
        "Whether drift asks for a run before its time, through a file that understudy-redistill.path watches.")

    static let gate = OptionBlock(
        "gate",
        options: [
            maximumAccuracyLoss.facts, maximumPossibleLoss.facts, confidence.facts, maximumRecallLoss.facts,
            maximumCalibrationError.facts, maximumLoadGrowth.facts, loadAllowance.facts, maximumSlowdown.facts,
            maximumGrowth.facts, minimumHoldoutRows.facts, minimumClassRows.facts, maximumOverlap.facts,
        ], "What a new student must pass to be let in.")
    static let rollback = OptionBlock(
        "rollback", options: [audits.facts, rollbackConfidence.facts], "When a promoted student is taken back.")
    static let drift = OptionBlock(
        "drift", options: [maximumIndex.facts, minimumLines.facts, startsRun.facts],
        "When the stream no longer looks like what the student learnt from.")
    static let block = OptionBlock(
        "redistill", absence: .means("the student stays as it is"),
        options: [
            train.facts, holdout.facts, registry.facts, reports.facts, minimumNewRows.facts, start.facts, epochs.facts,
            learningRate.facts, seed.facts, logRows.facts, replayRows.facts, heldOutShare.facts, threads.facts,
            maximumMinutes.facts, maximumMemoryMebibytes.facts, keepVersions.facts, shadow.facts, shadowLines.facts,
        ], blocks: [gate, rollback, drift], "How a new student is made from the disagreement log.")
}
