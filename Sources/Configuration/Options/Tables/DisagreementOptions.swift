/// `disagreements:`
enum DisagreementOptions {
    static let keepDays = DefaultedOption(
        "keep_days", .count(1...36_500), default: 90, "Days that a row is kept: a quarter's news.")
    static let keepRows = DefaultedOption(
        "keep_rows", .count(1...1_000_000_000), default: 1_000_000,
        "The most rows that are kept; the oldest go first. Of headlines, a million take less than a gigabyte.")

    static let block = OptionBlock(
        "disagreements", options: [keepDays.facts, keepRows.facts],
        "How much is kept of the log of lines that the teacher saw.")
}
