import Glibc

/// The edge of progress reporting: standard error, the terminal's width, the monotonic clock.
extension ProgressMeter {
    /// A bar when standard error is a terminal, else a plain line at most every `interval`.
    public static func standardError(every interval: Duration = .seconds(10)) -> ProgressMeter {
        let clock = ContinuousClock()
        let start = clock.now
        return ProgressMeter(
            style: ProgressTerminal.style(every: interval), now: { start.duration(to: clock.now) },
            write: ProgressTerminal.write)
    }
}

enum ProgressTerminal {
    static func style(every interval: Duration) -> ProgressMeter.Style {
        guard isatty(STDERR_FILENO) == 1, variable("TERM") != "dumb" else { return .lines(every: interval) }
        let locale = variable("LC_ALL") ?? variable("LC_CTYPE") ?? variable("LANG") ?? ""
        let isUTF8 = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
        return .bar(characters: isUTF8 ? .unicode : .ascii, width: width)
    }

    /// The columns of standard error's terminal; 80 where it doesn't say.
    @Sendable static func width() -> Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Progress is a courtesy: where standard error is closed or broken, it is dropped silently.
    @Sendable static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, base, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
