import Diagnostics
import Glibc

/// The process's standard descriptors, as a filter needs them.
enum ClassifyDescriptors {
    /// Makes writing to a closed pipe an error instead of a death, and refuses to start with a closed standard
    /// descriptor: the next file opened would take its number, and answers would go there.
    static func prepare() throws(UnderstudyError) {
        signal(SIGPIPE, SIG_IGN)
        if !isOpen(2) {
            let null = open("/dev/null", O_WRONLY)
            if null >= 0, null != 2 {
                dup2(null, 2)
                close(null)
            }
        }
        guard isOpen(0) else { throw UnderstudyError(.missingInput, "standard input is closed") }
        guard isOpen(1) else { throw UnderstudyError(.inputOutput, "standard output is closed") }
    }

    static var standardErrorIsTerminal: Bool { isatty(2) == 1 }

    /// Writes a message and a newline to standard error; there is nowhere to report a failure of that.
    static func report(_ message: String) {
        var text = message.hasSuffix("\n") ? message : message + "\n"
        text.withUTF8 { bytes in _ = write(2, bytes.baseAddress, bytes.count) }
    }

    private static func isOpen(_ descriptor: Int32) -> Bool {
        fcntl(descriptor, F_GETFD) != -1 || errno != EBADF
    }
}
