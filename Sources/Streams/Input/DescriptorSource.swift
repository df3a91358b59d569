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
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private let requests: UnsafeMutablePointer<pollfd>

    /// `name` is how errors call the descriptor; `output` is watched for its reader's going if it isn't nil.
    public init(descriptor: Int32, name: String, output: Int32? = nil) throws(UnderstudyError) {
        var ends: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutableBytes(of: &ends) { pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        guard status == 0 else {
            throw UnderstudyError(.tryAgain, "can't make a pipe: \(String(cString: strerror(errno)))")
        }
        for end in [ends.0, ends.1] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        self.descriptor = descriptor
        self.name = name
        (wakeRead, wakeWrite) = ends
        requests = .allocate(capacity: 3)
        requests[0] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        requests[1] = pollfd(fd: ends.0, events: Int16(POLLIN), revents: 0)
        requests[2] = pollfd(fd: output ?? -1, events: 0, revents: 0)
    }

    deinit {
        requests.deallocate()
        close(wakeRead)
        close(wakeWrite)
    }

    public func interrupt() {
        var byte: UInt8 = 1
        // A full pipe has woken the reader already, so the outcome doesn't matter.
        _ = write(wakeWrite, &byte, 1)
    }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> ReadOutcome {
        while true {
            guard poll(requests, 3, -1) >= 0 else {
                if errno == EINTR { continue }
                throw failure(errno)
            }
            if requests[1].revents != 0 || requests[2].revents & Int16(POLLERR) != 0 { return .stopped }
            guard requests[0].revents != 0 else { continue }
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno != EINTR, errno != EAGAIN { throw failure(errno) }
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
