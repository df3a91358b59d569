import Glibc

/// Standard error, for what is written to it while something goes on.
public enum StandardError {
    /// Writes `text` at once, so that lines of several threads don't mix. Where standard error is closed or broken, it is
    /// dropped silently: there is no better place left to say so.
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
