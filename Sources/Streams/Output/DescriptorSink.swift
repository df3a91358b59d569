import Diagnostics
import Glibc

/// Writes to a file descriptor: standard output, a pipe, a file. The process must ignore SIGPIPE.
public struct DescriptorSink: ByteSink {
    private let descriptor: Int32
    private let name: String

    /// `name` identifies the descriptor in errors ("standard output").
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

    /// Waits for room on a descriptor that another program has made non-blocking (a shared terminal).
    private func waitForRoom() {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
    }
}

/// The destination of encoded output.
public protocol ByteSink: Sendable {
    /// Writes all of `bytes` and returns when they have been written. A slow sink blocks its caller.
    ///
    /// Returns `.closed` when the reader has closed the sink: a reason to stop, not an error.
    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) -> SinkOutcome
}

public enum SinkOutcome: Sendable, Equatable {
    case written
    case closed
}
