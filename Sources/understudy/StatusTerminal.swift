import Diagnostics
import Glibc

/// Standard output as a terminal.
enum StatusTerminal {
    /// nil when it is none.
    static var size: (columns: Int, rows: Int)? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 1 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Source: no-color.org.
    static var hasColours: Bool {
        guard EnvironmentVariable.value("NO_COLOR") == nil else { return false }
        return (EnvironmentVariable.value("TERM") ?? "dumb") != "dumb"
    }
}
