/// `sinks:`
enum SinkOptions {
    static let name = YAMLOption(
        required: "name", .name, example: "answers", "Names the sink in logs and metrics; unique.")
    static let kind = YAMLOption(
        required: "kind", .word(["stdout", "file", "fifo", "socket", "journald"]), example: "file",
        "Standard output, files, a named pipe, a Unix stream socket, or the journal.")
    static let filePath = YAMLOption(
        required: "path", .template, only: [.option("kind", is: "file")],
        example: "/var/log/understudy/answers.jsonl",
        "The file; `{label}`, `{source}` and `{date}` in it make several of one sink.")
    static let path = YAMLOption(
        required: "path", .path, only: [.option("kind", is: "fifo", "socket")], example: "/run/understudy/answers",
        "The pipe, made when it is missing, or the socket, which somebody else must listen on.")
    static let filePermissions = DefaultedOption(
        "permissions", .permissions, default: 0o640, only: [.option("kind", is: "file")],
        "Mode of files that are made, in octal digits: the group may read, others don't see the text.")
    static let pipePermissions = DefaultedOption(
        "permissions", .permissions, default: 0o660, only: [.option("kind", is: "fifo")],
        "Mode of a pipe that is made, in octal digits: the group may open it, others don't see the text.")
    static let sync = DefaultedOption(
        "sync", .choice, default: SinkSettings.FileSettings.Sync.commit, only: [.option("kind", is: "file")],
        "`commit` forces the file to disk at each commit: without that, a power loss costs answers.")
    static let format = DefaultedOption(
        "format", .choice, default: SinkSettings.Format.jsonl,
        only: [.option("kind", is: "stdout", "file", "fifo", "socket")],
        "What an answer looks like; see formats.md.")
    static let logits = DefaultedOption(
        "logits", .flag, default: false, only: [.option("kind", is: "stdout", "file", "fifo", "socket")],
        "Whether the models' logits are written as well: they make answers several times as long.")
    static let labels = DefaultedOption(
        "labels", .list(), default: [], example: "[sports, culture]",
        "Takes answers with these labels only; empty: with any.")
    static let sources = DefaultedOption(
        "sources", .list(), default: [], example: "[wire]", "Takes answers from these sources only; empty: from any.")
    static let by = DefaultedOption(
        "by", .choice, default: SinkFilter.By.any, "Takes answers of this model only.")
    static let minimumConfidence = DefaultedOption(
        "minimum_confidence", .share, default: 0, "Takes answers with at least this confidence; 0: with any.")
    static let whenFull = DefaultedOption(
        "when_full", .choice, default: SinkSettings.WhenFull.block,
        "What happens when the sink can't keep up: the sources wait, so that nothing is lost, or answers are dropped "
            + "and counted.")

    static let block = OptionBlock(
        "sinks", shape: .list(of: "sink"), absence: .refused,
        options: [
            name.facts, kind.facts, filePath.facts, path.facts, filePermissions.facts, pipePermissions.facts,
            sync.facts, format.facts, logits.facts, labels.facts, sources.facts, by.facts, minimumConfidence.facts,
            whenFull.facts,
        ],
        "Where answers go. An answer goes to every sink whose filter it passes.")
}
