import Glibc

/// Reads single keys from standard input. The terminal is restored when the value is released.
final class TerminalInput {
    private var former: termios
    private var isChanged = true

    /// Returns nil if standard input is no terminal.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        former = settings
        // Keys are delivered at once and not echoed. Control-C is delivered as a key too, so that the terminal is
        // restored after it as well.
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) == 0 else { return nil }
    }

    deinit { restore() }

    func restore() {
        guard isChanged else { return }
        isChanged = false
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &former)
    }

    /// Waits for a key. Returns nil when the terminal is closed.
    func key() -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &byte, 1)
            if count == 1 { return byte }
            if count == 0 || errno != EINTR { return nil }
        }
    }

    /// The number of columns of the terminal on standard output; nil if it is none.
    static var outputWidth: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
