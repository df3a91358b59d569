import Diagnostics
import Glibc

/// Reads a file descriptor: standard input, a pipe, a file. Doesn't close it.
///
/// A read that waits also wakes up for `interrupt`, and when the reader of `output` has gone: a filter whose answers
/// nobody takes should end even though its input stays silent.
///
/// `@unchecked Sendable`: `requests` is used by the one thread that reads; the rest never changes.
public final class DescriptorSource: ByteSource, @unchecked Sendable {
    private let descriptor: Int32
    private let name: String
    private let wake: Wake
    private let requests: UnsafeMutablePointer<pollfd>

    /// `name` is how errors call the descriptor; `output` is watched for its reader's going if it isn't nil.
    public init(descriptor: Int32, name: String, output: Int32? = nil) throws(UnderstudyError) {
        wake = try Wake()
        self.descriptor = descriptor
        self.name = name
        requests = .allocate(capacity: 3)
        requests[0] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        requests[1] = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
        requests[2] = pollfd(fd: output ?? -1, events: 0, revents: 0)
    }

    deinit { requests.deallocate() }

    public func interrupt() { wake.signal() }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> ReadOutcome {
        while true {
            if let outcome = try wait() { return outcome }
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno != EINTR, errno != EAGAIN { throw failure(errno) }
        }
    }

    /// Waits until there is something to read, or the end; otherwise why there won't be.
    func wait() throws(UnderstudyError) -> ReadOutcome? {
        while true {
            guard poll(requests, 3, -1) >= 0 else {
                if errno == EINTR { continue }
                throw failure(errno)
            }
            if requests[1].revents != 0 { return .stopped }
            if requests[2].revents & Int16(POLLERR) != 0 { return .outputClosed }
            if requests[0].revents != 0 { return nil }
        }
    }

    private func failure(_ number: Int32) -> UnderstudyError {
        switch number {
        case EISDIR: UnderstudyError(.missingInput, "\(name) is a directory; give a file or a pipe")
        case EBADF: UnderstudyError(.missingInput, "\(name) is closed or not open for reading")
        default: UnderstudyError(.inputOutput, "can't read \(name): \(String(cString: strerror(number)))")
        }
    }
}
