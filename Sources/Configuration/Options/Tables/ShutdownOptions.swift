/// `shutdown:`
enum ShutdownOptions {
    static let drainSeconds = DefaultedOption(
        "drain_seconds", .count(1...3600), default: 60,
        "Seconds that lines which were read may take to be answered: a full teacher queue's worth; under the 90 seconds "
            + "after which systemd kills.")

    static let block = OptionBlock("shutdown", options: [drainSeconds.facts], "How the daemon stops.")
}
