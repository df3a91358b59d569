import Glibc

/// Standard error, for messages during an operation.
public enum StandardError {
    /// Writes `text` at once, so that lines of several threads don't mix. If standard error is closed or broken, the
    /// text is dropped silently: there is no other place to report that.
    @Sendable public static func write(_ text: String) {
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
}

/// Ends a process that can't allocate a large block: it can't continue, and every guarantee about lines also holds for
/// a killed process.
public enum OutOfMemory {
    /// Reports it on standard error and exits at once, with the status of a temporary failure.
    public static func end(wanted bytes: Int) -> Never {
        StandardError.write(
            "error: can't allocate \(NumberText.grouped(bytes)) bytes; raise the limit (ulimit -v, MemoryMax=),"
                + " or use smaller models or fewer threads\n")
        _exit(UnderstudyError.Code.tryAgain.exitStatus)
    }
}
