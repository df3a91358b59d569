/// `sinks:`
enum SinkOptions {
    static let name = YAMLOption(
        required: "name", .name, example: "answers", "Name of the sink in logs and metrics. Names are unique.")
    static let kind = YAMLOption(
        required: "kind", .word(["stdout", "file", "fifo", "socket", "journald"]), example: "file",
        "Standard output, a file, a named pipe, a Unix stream socket, or the journal.")
    static let filePath = YAMLOption(
        required: "path", .template, only: [.option("kind", is: "file")],
        example: "/var/log/understudy/answers.jsonl",
        "Path of the file. With `{label}`, `{source}` or `{date}` in it the sink writes several files.")
    static let path = YAMLOption(
        required: "path", .path, only: [.option("kind", is: "fifo", "socket")], example: "/run/understudy/answers",
        "Path of the pipe, which is created if missing, or of the socket, on which another process must listen.")
    static let filePermissions = DefaultedOption(
        "permissions", .permissions, default: 0o640, only: [.option("kind", is: "file")],
        "Mode of created files, in octal digits. By default the group may read them and others may not.")
    static let pipePermissions = DefaultedOption(
        "permissions", .permissions, default: 0o660, only: [.option("kind", is: "fifo")],
        "Mode of a created pipe, in octal digits. By default the group may open it and others may not.")
    static let sync = DefaultedOption(
        "sync", .choice, default: SinkSettings.FileSettings.Sync.commit, only: [.option("kind", is: "file")],
        "`commit` forces the file to disk at each commit. With `none`, a power loss may lose answers.")
    static let format = DefaultedOption(
        "format", .choice, default: SinkSettings.Format.jsonl,
        only: [.option("kind", is: "stdout", "file", "fifo", "socket")],
        "Format of an answer; see formats.md.")
    static let logits = DefaultedOption(
        "logits", .flag, default: false, only: [.option("kind", is: "stdout", "file", "fifo", "socket")],
        "Whether the models' logits are written as well. They make answers several times as long.")
    static let labels = DefaultedOption(
        "labels", .list(), default: [], example: "[sports, culture]",
        "Labels whose answers the sink takes; an empty list takes all.")
    static let sources = DefaultedOption(
        "sources", .list(), default: [], example: "[wire]",
        "Sources whose answers the sink takes; an empty list takes all.")
    static let by = DefaultedOption(
        "by", .choice, default: SinkFilter.By.any, "Model whose answers the sink takes.")
    static let minimumConfidence = DefaultedOption(
        "minimum_confidence", .share, default: 0,
        "Minimum confidence of the answers that the sink takes, as a share; 0 takes all.")
    static let whenFull = DefaultedOption(
        "when_full", .choice, default: SinkSettings.WhenFull.block,
        "Handling of a sink that can't keep up. `block` makes the sources wait, so that nothing is lost; `drop` "
            + "drops answers and counts them.")

    static let block = OptionBlock(
        "sinks", shape: .list(of: "sink"), absence: .refused,
        options: [
            name.facts, kind.facts, filePath.facts, path.facts, filePermissions.facts, pipePermissions.facts,
            sync.facts, format.facts, logits.facts, labels.facts, sources.facts, by.facts, minimumConfidence.facts,
            whenFull.facts,
        ],
        "Where answers are written. An answer is written to every sink whose filter it passes.")
}
