import Diagnostics
import Glibc

/// Reads a file descriptor: standard input, a pipe or a file. Doesn't close it.
///
/// A blocked read also returns on `interrupt`, and when the reader of `output` closes it: a filter whose output is
/// closed must end even if its input stays silent.
///
/// `@unchecked Sendable`: only the reading thread uses `requests`; the rest never changes.
public final class DescriptorSource: ByteSource, @unchecked Sendable {
    private let descriptor: Int32
    private let name: String
    private let wake: Wake
    private let requests: UnsafeMutablePointer<pollfd>

    /// `name` identifies the descriptor in errors. If `output` isn't nil, it is watched for the closing of its read
    /// end.
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

    /// Waits for input or the end of input. Returns the outcome if nothing can be read, nil otherwise.
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

/// Supplies the bytes of a stream.
public protocol ByteSource: Sendable {
    /// Waits for input and reads at most `room.count` bytes, at least one (see `ReadOutcome`).
    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> ReadOutcome

    /// Makes a blocked read, and every later one, return `.stopped`. May be called from any thread, more than once.
    func interrupt()
}

public enum ReadOutcome: Sendable, Equatable {
    /// The number of bytes read, at least one.
    case bytes(Int)
    /// The stream has ended.
    case end
    /// `interrupt` was called.
    case stopped
    /// The reader of the output has closed it.
    case outputClosed
}
