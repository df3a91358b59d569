/// `sources:`
enum SourceOptions {
    static let name = YAMLOption(
        required: "name", .name, example: "wire", "Names the source in answers, logs and metrics; unique.")
    static let kind = YAMLOption(
        required: "kind", .word(["stdin", "fifo", "directory"]), example: "fifo",
        "Standard input, a named pipe, or a directory of files.")
    static let path = YAMLOption(
        required: "path", .path, only: [.option("kind", is: "fifo", "directory")], example: "/run/understudy/wire",
        "The pipe or the directory. A pipe is made when it is missing, or inherited from a systemd socket unit.")
    static let permissions = DefaultedOption(
        "permissions", .permissions, default: 0o660, only: [.option("kind", is: "fifo")],
        "Mode of a pipe that is made, in octal digits: the group may write to it.")
    static let spool = DefaultedOption(
        "spool", .flag, default: false, only: [.option("kind", is: "stdin", "fifo")],
        "Whether lines are written ahead to the state directory, so that they survive a kill. Off, because every line "
            + "then costs a write to disk.")
    static let spoolMaximumBytes = DefaultedOption(
        "spool_maximum_bytes", .count(1_048_576...1_125_899_906_842_624), default: 1_073_741_824,
        only: [.option("kind", is: "stdin", "fifo"), .option("spool", is: "true")],
        "Bytes of unanswered lines at which the source waits: hours of a news feed, a small part of a disk.")
    static let mode = DefaultedOption(
        "mode", .word(["files", "tail"]), default: "files", only: [.option("kind", is: "directory")],
        "`files` reads each file once, when it is whole; `tail` follows files that grow.")
    static let include = DefaultedOption(
        "include", .list(least: 1), default: ["*"], only: [.option("kind", is: "directory")],
        example: "[\"*.txt\", \"*.gz\"]",
        "Patterns of files to read, as a shell has them, on the path below the directory; `*` also stands for a slash. "
            + "Any must match. What starts with a dot or ends in .tmp, .part, .swp or ~ is always left alone.")
    static let exclude = DefaultedOption(
        "exclude", .list(), default: [], only: [.option("kind", is: "directory")], example: "[\"*.bak\"]",
        "Patterns of files to leave alone; stronger than `include`.")
    static let recursive = DefaultedOption(
        "recursive", .flag, default: false, only: [.option("kind", is: "directory")],
        "Whether the directories below are read as well.")
    static let after = DefaultedOption(
        "after", .word(["keep", "move", "delete"]), default: "keep",
        only: [.option("kind", is: "directory"), .option("mode", is: "files")],
        "What happens to a file once its last answer is durable. `keep`, because nothing is lost by it.")
    static let doneDirectory = YAMLOption(
        required: "done_directory", .path,
        only: [.option("kind", is: "directory"), .option("mode", is: "files"), .option("after", is: "move")],
        example: "/var/spool/understudy-done",
        "Where `after: move` moves files to; on the same file system as `path`.")
    static let start = DefaultedOption(
        "start", .choice, default: DirectorySettings.Start.beginning,
        only: [.option("kind", is: "directory"), .option("mode", is: "tail")],
        "Where files that are there at the very first start begin. From the beginning no line is missed.")
    static let pollSeconds = DefaultedOption(
        "poll_seconds", .count(1...3600), default: 2, only: [.option("kind", is: "directory")],
        "Seconds between two looks when inotify can't watch: soon enough, at next to no cost.")
    static let input = DefaultedOption(
        "input", .word(["line", "jsonl", "tsv"]), default: "line",
        "How a line holds its text: it is the text, a JSON object, or columns apart by tabs.")
    static let field = DefaultedOption(
        "field", .text, default: "text", only: [.option("input", is: "jsonl")],
        "The JSON field with the text; the others pass through to the answer.")
    static let column = DefaultedOption(
        "column", .count(1...65_536), default: 1, only: [.option("input", is: "tsv")],
        "The column with the text, counted from 1.")
    static let encoding = DefaultedOption(
        "encoding", .choice, default: SourceSettings.Encoding.utf8,
        "Encoding of the lines; answers are always UTF-8. UTF-16 is for directories only: a file's byte order mark decides its "
            + "byte order and is dropped; without one, `utf-16` and `utf-16le` are little-endian, as Windows writes, and "
            + "`utf-16be` is big-endian.")
    static let maximumLineBytes = DefaultedOption(
        "maximum_line_bytes", .count(1...1_048_575), default: 65_536,
        "Longer lines are refused, in bytes of the source's encoding. Far above any headline or paragraph, far below what would "
            + "hold up other lines.")
    static let ordered = DefaultedOption(
        "ordered", .flag, default: true,
        "Whether answers keep the order of the lines; `false` lets sure ones pass those that wait for the teacher.")

    static let block = OptionBlock(
        "sources", shape: .list(of: "source"), absence: .refused,
        options: [
            name.facts, kind.facts, path.facts, permissions.facts, spool.facts, spoolMaximumBytes.facts, mode.facts,
            include.facts, exclude.facts, recursive.facts, after.facts, doneDirectory.facts, start.facts,
            pollSeconds.facts, input.facts, field.facts, column.facts, encoding.facts, maximumLineBytes.facts,
            ordered.facts,
        ],
        "Where lines come from.")
}
