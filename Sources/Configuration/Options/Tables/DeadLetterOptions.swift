/// `dead_letter:`
enum DeadLetterOptions {
    static let path = YAMLOption(
        required: "path", .path, example: "/var/log/understudy/dead.jsonl",
        "The file that refused lines go to, each with its reason.")
    static let permissions = DefaultedOption(
        "permissions", .permissions, default: 0o640,
        "Mode of the file when it is made, in octal digits: the group may read, others don't see the text.")

    static let block = OptionBlock(
        "dead_letter", absence: .means("refused lines are counted only"),
        options: [path.facts, permissions.facts],
        "What becomes of lines that can't be classified.")
}
