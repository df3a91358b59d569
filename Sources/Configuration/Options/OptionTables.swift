/// The tables of all options, in the order of printing.
package enum OptionTables {
    package static let blocks = [
        ModelOptions.block, CascadeOptions.block, SourceOptions.block, SinkOptions.block,
        DeadLetterOptions.block, StateOptions.block, ShutdownOptions.block, DisagreementOptions.block,
        RedistillOptions.block, HTTPOptions.block, LogOptions.block,
    ]

    /// The file as one mapping.
    static let root = OptionBlock("the configuration", options: [], blocks: blocks, "The whole file.")
    /// Maximum number of sources, and of sinks.
    package static let mostItems = 256

    /// Returns the blocks that have an option of this name (`cascade`, `redistill.gate`), for the hint at a misplaced
    /// option.
    static func blocks(with option: String) -> [String] {
        var found: [String] = []
        for block in blocks {
            if block.options.contains(where: { $0.name == option }) { found.append(block.name) }
            for inner in block.blocks where inner.options.contains(where: { $0.name == option }) {
                found.append("\(block.name).\(inner.name)")
            }
        }
        return found
    }
}

/// `models:`
enum ModelOptions {
    static let student = YAMLOption(
        "student", .path, absent: "the bundled student", example: "/var/lib/understudy/students/current",
        "Model directory of the student, or the registry's link to it. The daemon switches when the link changes.")
    static let teacher = YAMLOption(
        "teacher", .path, absent: "no teacher; the student answers alone",
        example: "/usr/share/understudy/models/teacher",
        "Model directory of the teacher. Its labels must be those of the student.")

    static let block = OptionBlock(
        "models", absence: .means("the bundled student and the bundled teacher"),
        options: [student.facts, teacher.facts],
        "Models that classify the lines.")
}

/// `state:`
enum StateOptions {
    static let directory = DefaultedOption(
        "directory", .path, default: "/var/lib/understudy",
        "Directory of the checkpoints, the disagreement log and the student registry. If systemd sets "
            + "$STATE_DIRECTORY, its value is the default.")
    static let commitIntervalMilliseconds = DefaultedOption(
        "commit_interval_milliseconds", .count(1...60_000), default: 200,
        "Milliseconds between two commits. A longer interval delays the output; a shorter one writes to the disk "
            + "more often.")

    static let block = OptionBlock(
        "state", options: [directory.facts, commitIntervalMilliseconds.facts],
        "Directory of the state, and how often progress is made durable.")
}

/// `disagreements:`
enum DisagreementOptions {
    static let keepDays = DefaultedOption(
        "keep_days", .count(1...36_500), default: 90, "Maximum age of a row, in days. 90 days cover a quarter.")
    static let keepRows = DefaultedOption(
        "keep_rows", .count(1...1_000_000_000), default: 1_000_000,
        "Maximum number of rows; the oldest are deleted first. A million headlines take less than a gigabyte.")

    static let block = OptionBlock(
        "disagreements", options: [keepDays.facts, keepRows.facts],
        "Retention of the disagreement log, which records the lines that the teacher saw.")
}

/// `dead_letter:`
enum DeadLetterOptions {
    static let path = YAMLOption(
        required: "path", .path, example: "/var/log/understudy/dead.jsonl",
        "File for refused lines, each with its reason.")
    static let permissions = DefaultedOption(
        "permissions", .permissions, default: 0o640,
        "Mode of the file when it is created, in octal digits. By default the group may read it and others may not.")

    static let block = OptionBlock(
        "dead_letter", absence: .means("refused lines are only counted"),
        options: [path.facts, permissions.facts],
        "Where lines that can't be classified are written.")
}

/// `http:`
enum HTTPOptions {
    static let listen = YAMLOption(
        required: "listen", .address, example: "127.0.0.1:9464",
        "Address to listen on: `host:port` on the loopback interface, or `unix:` and the path of a socket.")

    static let block = OptionBlock(
        "http", absence: .means("nothing is served"), options: [listen.facts],
        "HTTP server for metrics, health and status.")
}

/// `log:`
enum LogOptions {
    static let level = DefaultedOption(
        "level", .choice, default: LogLevel.info,
        "Least severe level that is logged. `info` logs starts, stops and changes, and nothing per line.")

    static let block = OptionBlock("log", options: [level.facts], "Logging.")
}

/// `shutdown:`
enum ShutdownOptions {
    static let drainSeconds = DefaultedOption(
        "drain_seconds", .count(1...3600), default: 60,
        "Seconds to answer the lines already read before the daemon exits. The default is enough for a full teacher "
            + "queue and less than the 90 seconds after which systemd kills the daemon.")

    static let block = OptionBlock("shutdown", options: [drainSeconds.facts], "How the daemon stops.")
}
