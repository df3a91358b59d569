/// How a new student is trained on the disagreement log, and when it is promoted.
public struct RedistillSettings: SettingsBlock {
    /// The initial weights of a candidate.
    public enum Start: String, Sendable, CaseIterable {
        /// The weights of the serving student.
        case warm
        /// Random weights.
        case scratch
    }

    /// The customary limit above which a population has shifted (Siddiqi 2006).
    public static let customaryDriftIndex = 0.25

    /// Without drift the expected index is (bins − 1) · (1/n + 1/m) for n lines against a reference of m lines. For the
    /// 20 bins of confidence and a holdout of 300 lines it is 0.10 at 500 lines and 0.08 at 1000.
    public static let customaryDriftLines = 1000

    /// The base transfer set, JSON Lines.
    public var train = ""
    /// The gate's frozen labelled lines, JSON Lines.
    public var holdout = ""
    /// nil: `students` in the state directory.
    public var registry: String?
    /// nil: `reports` in the state directory.
    public var reports: String?
    public var minimumNewRows = 500
    public var start: Start = .warm
    public var epochs = 6
    public var learningRate = 0.001
    public var seed = 0
    /// Maximum number of log rows that a run trains on; the newest are taken.
    public var logRows = 100_000
    /// Lines of the base transfer set that a run trains on as well.
    public var replayRows = 20_000
    /// Share of the log's texts that is held out for measuring.
    public var heldOutShare = 0.1
    public var threads = 1
    public var maximumMinutes = 120
    public var maximumMemoryMebibytes = 2048
    /// Versions kept in the registry in addition to the serving and the previous one.
    public var keepVersions = 5
    /// Share of the lines that a candidate classifies in shadow mode before it is promoted; 0 promotes it at once.
    public var shadow: Double = 0
    /// Lines classified by candidate, serving student and teacher after which the candidate is judged.
    public var shadowLines = 1000
    public var gate = Gate()
    public var rollback = Rollback()
    public var drift = Drift()

    public init() {}

    package static let block = Block<RedistillSettings>(
        "redistill", "How a new student is trained on the disagreement log."
    ) {
        BlockOption(
            required: "train", .path, at: \.train, example: "/var/lib/understudy/base/train.jsonl", reload: .live,
            "Base transfer set, JSON Lines. Each run replays a part of it, so that the student does not forget it.")
        BlockOption(
            required: "holdout", .path, at: \.holdout, example: "/var/lib/understudy/base/holdout.jsonl",
            reload: .models,
            "Frozen labelled lines that the gate measures on, JSON Lines. They are never used for training.")
        BlockOption(
            "registry", .path, at: \.registry, absent: "`students` in the state directory",
            example: "/var/lib/understudy/students", reload: .studentPath,
            "Directory of the student versions, with the links `current` and `previous`.")
        BlockOption(
            "reports", .path, at: \.reports, absent: "`reports` in the state directory",
            example: "/var/lib/understudy/reports", reload: .live,
            "Directory for the HTML report of each run.")
        BlockOption(
            "minimum_new_rows", .count(1...1_000_000_000, .rows), at: \.minimumNewRows, reload: .live,
            "Minimum number of new rows in the log for a run to start.")
        BlockOption(
            "start", .choice, at: \.start, reload: .live,
            "Initial weights of a candidate: those of the serving student (`warm`), or random ones (`scratch`), which "
                + "takes longer.")
        BlockOption(
            "epochs", .count(1...1000), at: \.epochs, reload: .live,
            "Number of passes over the training lines.")
        BlockOption(
            "learning_rate", .number(0.000001...1), at: \.learningRate, reload: .live,
            "Peak learning rate of the optimiser, a number without a unit.")
        BlockOption(
            "seed", .count(0...1_000_000_000), at: \.seed, reload: .live,
            "Seed of all random choices. Each run adds its number to it.")
        BlockOption(
            "log_rows", .count(1...10_000_000, .rows), at: \.logRows, reload: .live,
            "Maximum number of log rows that a run trains on; the newest are taken. With replay_rows it bounds the time "
                + "and memory of a run.")
        BlockOption(
            "replay_rows", .count(0...10_000_000, .rows), at: \.replayRows, reload: .live,
            "Number of lines of the base transfer set that a run trains on as well.")
        BlockOption(
            "held_out_share", .share(0.01...0.5), at: \.heldOutShare, reload: .live,
            "Share of the log's texts that is held out for measuring, selected by a hash of the text.")
        BlockOption(
            "threads", .count(1...256, .threads), at: \.threads, reload: .live,
            "Threads of a run. With one, the other processors are left to the daemon.")
        BlockOption(
            "maximum_minutes", .count(1...10_000, .minutes), at: \.maximumMinutes, reload: .live,
            "Maximum duration of a run, in minutes. Training that reaches the limit stops, and its best epoch goes to "
                + "the gate.")
        BlockOption(
            "maximum_memory_mebibytes", .count(64...1_000_000, .mebibytes), at: \.maximumMemoryMebibytes, reload: .live,
            "Maximum resident memory of a run, in mebibytes. A run that exceeds it is aborted, and the serving student "
                + "is kept.")
        BlockOption(
            "keep_versions", .count(1...1000), at: \.keepVersions, reload: .live,
            "Number of versions kept in the registry in addition to the serving and the previous one.")
        BlockOption(
            "shadow", .share, at: \.shadow, example: "0.1", reload: .models,
            "Share of the lines that a candidate classifies in shadow mode before it is promoted. Its answers are not "
                + "emitted. 0 promotes it at once.")
        BlockOption(
            "shadow_lines", .count(1...1_000_000_000, .lines), at: \.shadowLines, reload: .live,
            "Number of lines classified by candidate, serving student and teacher after which the candidate is judged.")
        InnerBlock(at: \.gate)
        InnerBlock(at: \.rollback)
        InnerBlock(at: \.drift)
    }

    package func check(_ reader: BlockReader) {
        guard !holdout.isEmpty, PathClaims.normalised(train) == PathClaims.normalised(holdout) else { return }
        reader.context.errors.add(
            "'holdout' is the file that 'train' names; the student would be tested on its training data",
            at: reader.span(of: "holdout"))
    }
}
