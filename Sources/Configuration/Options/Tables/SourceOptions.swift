/// `sources:`
enum SourceOptions {
    static let name = YAMLOption(
        required: "name", .name, example: "wire", "Name of the source in answers, logs and metrics. Names are unique.")
    static let kind = YAMLOption(
        required: "kind", .word(["stdin", "fifo", "directory"]), example: "fifo",
        "Standard input, a named pipe, or a directory of files.")
    static let path = YAMLOption(
        required: "path", .path, only: [.option("kind", is: "fifo", "directory")], example: "/run/understudy/wire",
        "Path of the pipe or directory. A missing pipe is created, or inherited from a systemd socket unit.")
    static let permissions = DefaultedOption(
        "permissions", .permissions, default: 0o660, only: [.option("kind", is: "fifo")],
        "Mode of a created pipe, in octal digits. By default the group may write to it.")
    static let spool = DefaultedOption(
        "spool", .flag, default: false, only: [.option("kind", is: "stdin", "fifo")],
        "Whether lines are first written to a spool in the state directory, so that they survive a kill. It costs a "
            + "disk write per line.")
    static let spoolMaximumBytes = DefaultedOption(
        "spool_maximum_bytes", .count(1_048_576...1_125_899_906_842_624), default: 1_073_741_824,
        only: [.option("kind", is: "stdin", "fifo"), .option("spool", is: "true")],
        "Maximum size of the unanswered lines in the spool, in bytes; at the limit the source waits. The default "
            + "holds hours of a news feed.")
    static let mode = DefaultedOption(
        "mode", .word(["files", "tail"]), default: "files", only: [.option("kind", is: "directory")],
        "`files` reads each file once, when it is complete; `tail` follows growing files.")
    static let include = DefaultedOption(
        "include", .list(least: 1), default: ["*"], only: [.option("kind", is: "directory")],
        example: "[\"*.txt\", \"*.gz\"]",
        "Shell patterns of the files to read; one must match the path below the directory. `*` matches a slash as "
            + "well. Names that start with a dot or end in .tmp, .part, .swp or ~ are always ignored.")
    static let exclude = DefaultedOption(
        "exclude", .list(), default: [], only: [.option("kind", is: "directory")], example: "[\"*.bak\"]",
        "Shell patterns of the files to ignore. They take precedence over `include`.")
    static let recursive = DefaultedOption(
        "recursive", .flag, default: false, only: [.option("kind", is: "directory")],
        "Whether subdirectories are read as well.")
    static let after = DefaultedOption(
        "after", .word(["keep", "move", "delete"]), default: "keep",
        only: [.option("kind", is: "directory"), .option("mode", is: "files")],
        "What is done with a file once its last answer is durable.")
    static let doneDirectory = YAMLOption(
        required: "done_directory", .path,
        only: [.option("kind", is: "directory"), .option("mode", is: "files"), .option("after", is: "move")],
        example: "/var/spool/understudy-done",
        "Directory that `after: move` moves files to. It must be on the same file system as `path`.")
    static let start = DefaultedOption(
        "start", .choice, default: DirectorySettings.Start.beginning,
        only: [.option("kind", is: "directory"), .option("mode", is: "tail")],
        "Where to start in files that exist at the very first start. `beginning` misses no line.")
    static let pollSeconds = DefaultedOption(
        "poll_seconds", .count(1...3600), default: 2, only: [.option("kind", is: "directory")],
        "Seconds between two scans of the directory when inotify can't watch it.")
    static let input = DefaultedOption(
        "input", .word(["line", "jsonl", "tsv"]), default: "line",
        "Format of a line: plain text, a JSON object, or columns separated by tabs.")
    static let field = DefaultedOption(
        "field", .text, default: "text", only: [.option("input", is: "jsonl")],
        "JSON field that holds the text. The other fields are copied to the answer.")
    static let column = DefaultedOption(
        "column", .count(1...65_536), default: 1, only: [.option("input", is: "tsv")],
        "Column that holds the text, counted from 1.")
    static let encoding = DefaultedOption(
        "encoding", .choice, default: SourceSettings.Encoding.utf8,
        "Encoding of the lines; answers are always UTF-8. UTF-16 is for directories only: a file's byte order mark "
            + "decides its byte order and is removed; without one, `utf-16` and `utf-16le` are little-endian, as "
            + "Windows writes, and `utf-16be` is big-endian.")
    static let maximumLineBytes = DefaultedOption(
        "maximum_line_bytes", .count(1...1_048_575), default: 65_536,
        "Maximum length of a line, in bytes of the source's encoding. Longer lines are refused. The default is far "
            + "above any headline or paragraph.")
    static let ordered = DefaultedOption(
        "ordered", .flag, default: true,
        "Whether answers keep the order of the lines. With `false`, answers of the student may overtake lines that "
            + "wait for the teacher.")

    static let block = OptionBlock(
        "sources", shape: .list(of: "source"), absence: .refused,
        options: [
            name.facts, kind.facts, path.facts, permissions.facts, spool.facts, spoolMaximumBytes.facts, mode.facts,
            include.facts, exclude.facts, recursive.facts, after.facts, doneDirectory.facts, start.facts,
            pollSeconds.facts, input.facts, field.facts, column.facts, encoding.facts, maximumLineBytes.facts,
            ordered.facts,
        ],
        "Where lines are read from.")
}
