import CFiles
import Diagnostics
import Glibc

/// Wakes a thread from poll(2) by an eventfd(2).
package final class Wake: Sendable {
    package let descriptor: Int32

    package init() throws(UnderstudyError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw UnderstudyError(.tryAgain, "can't create an eventfd: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable until `wait` resets it. May be called from any thread.
    package func signal() {
        var one: UInt64 = 1
        // Fails only when the counter is full; then the thread has been woken already.
        _ = write(descriptor, &one, 8)
    }

    /// Waits for a signal and resets it; -1 milliseconds: without a limit.
    package func wait(milliseconds: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, milliseconds) < 0, errno == EINTR {}
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// Resets all signals so far.
    package func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}

/// Waits for a signal that is never reset.
extension Wake {
    var isRaised: Bool { sleep(milliseconds: 0) }

    /// Sleeps for the given time, or until it is raised; returns whether it was raised.
    func sleep(milliseconds: Int32) -> Bool {
        wait(for: 0, on: -1, milliseconds: milliseconds) == .raised
    }

    enum Wait: Equatable {
        case raised
        /// The requested event, or an error, occurred on the descriptor.
        case ready
        case time
    }

    /// Waits for `events` on `other` (POLLOUT, or 0 for errors alone), at most for the given time; -1: without a limit.
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
