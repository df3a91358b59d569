/// `log:`
enum LogOptions {
    static let level = DefaultedOption(
        "level", .choice, default: LogLevel.info,
        "The least severe messages that are logged. `info` tells starts, stops and what changed, nothing per line.")

    static let block = OptionBlock("log", options: [level.facts], "What is logged.")
}
