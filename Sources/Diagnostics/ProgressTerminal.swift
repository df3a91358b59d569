import Glibc

/// The edge of progress reporting: standard error, the terminal's width, the monotonic clock.
extension ProgressMeter {
    /// A bar when standard error is a terminal, else a plain line at most every `interval`.
    public static func standardError(every interval: Duration = .seconds(10)) -> ProgressMeter {
        let clock = ContinuousClock()
        let start = clock.now
        return ProgressMeter(
            style: ProgressTerminal.style(every: interval), now: { start.duration(to: clock.now) },
            write: StandardError.write)
    }
}

enum ProgressTerminal {
    static func style(every interval: Duration) -> ProgressMeter.Style {
        guard isatty(STDERR_FILENO) == 1, EnvironmentVariable.value("TERM") != "dumb" else {
            return .lines(every: interval)
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(EnvironmentVariable.value).first ?? ""
        let isUTF8 = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
        return .bar(characters: isUTF8 ? .unicode : .ascii, width: width)
    }

    /// The columns of standard error's terminal; 80 where it doesn't say.
    @Sendable static func width() -> Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
