import Glibc

/// Waiting for a signal that stays: nobody takes it back.
extension Wake {
    var isRaised: Bool { sleep(milliseconds: 0) }

    /// Sleeps so long, or until it is raised, which it says.
    func sleep(milliseconds: Int32) -> Bool {
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
