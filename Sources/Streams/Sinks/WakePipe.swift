import Diagnostics
import Glibc

/// Wakes threads that wait in poll(2), once and for all.
final class WakePipe: Sendable {
    /// Readable as soon as `raise` has been called.
    let descriptor: Int32
    private let writing: Int32

    /// Errors: `tryAgain`.
    init() throws(UnderstudyError) {
        var ends: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutableBytes(of: &ends) { pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        guard status == 0 else {
            throw UnderstudyError(.tryAgain, "can't make a pipe: \(String(cString: strerror(errno)))")
        }
        for end in [ends.0, ends.1] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writing) = ends
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    func raise() {
        var byte: UInt8 = 1
        // A full pipe is readable already, so the outcome doesn't matter.
        _ = write(writing, &byte, 1)
    }

    var isRaised: Bool { wait(milliseconds: 0) }

    /// Sleeps so long, or until it is raised, which it says.
    func wait(milliseconds: Int32) -> Bool {
        wait(for: 0, on: -1, milliseconds: milliseconds) == .raised
    }

    enum Wait: Equatable {
        case raised
        /// What was waited for on the descriptor, or an error of it.
        case ready
        case time
    }

    /// Waits for `events` on `other` (POLLOUT, or 0 for errors alone), at most so long; -1: without end.
    func wait(for events: Int32, on other: Int32, milliseconds: Int32) -> Wait {
        withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { requests in
            requests[0] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            requests[1] = pollfd(fd: other, events: Int16(events), revents: 0)
            var ready: Int32
            repeat { ready = poll(requests.baseAddress, 2, milliseconds) } while ready < 0 && errno == EINTR
            if requests[0].revents != 0 { return .raised }
            return requests[1].revents != 0 ? .ready : .time
        }
    }
}
