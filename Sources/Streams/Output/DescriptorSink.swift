import Diagnostics
import Glibc

/// Writes to a file descriptor: standard output, a pipe, a file. SIGPIPE must be ignored by the process.
public struct DescriptorSink: ByteSink {
    private let descriptor: Int32
    private let name: String

    /// `name` is how errors call the descriptor ("standard output").
    public init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    public func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) -> SinkOutcome {
        guard let base = bytes.baseAddress else { return .written }
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(descriptor, base + done, bytes.count - done)
            if written >= 0 {
                done += written
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: waitForRoom()
            case EPIPE, ECONNRESET: return .closed
            default:
                let reason = errno
                throw UnderstudyError(
                    .writing(reason, else: .inputOutput),
                    "can't write to \(name): \(String(cString: strerror(reason)))")
            }
        }
        return .written
    }

    /// A descriptor that somebody else made non-blocking (a terminal shared with another program) is waited for.
    private func waitForRoom() {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
    }
}
