import CFiles
import Diagnostics
import Glibc

/// Waits until the other side of a descriptor has gone, by epoll(7): poll(2) would hold the descriptor's file for as long
/// as it sleeps, and a FIFO that somebody holds keeps what is in it when it is closed. The next reader would begin there.
final class DesertionWatch: Sendable {
    private let descriptor: Int32
    private let waker: Wake

    /// `waker`, once it is raised, ends the waiting.
    ///
    /// Errors: `tryAgain`.
    init(waker: Wake) throws(UnderstudyError) {
        self.waker = waker
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0, add(waker.descriptor, events: EPOLLIN.rawValue) else {
            throw UnderstudyError(.tryAgain, "can't watch a FIFO with epoll: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// False with `errno` when there is no room for one more.
    func add(_ watched: Int32) -> Bool { add(watched, events: 0) }

    /// To be called before `watched` is closed; nobody but its owner holds it from then on.
    func remove(_ watched: Int32) { epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil) }

    /// Sleeps until an added descriptor has no other side; false when the waker was raised.
    func wait() -> Bool {
        var event = epoll_event()
        while epoll_wait(descriptor, &event, 1, -1) < 0, errno == EINTR {}
        return !waker.isRaised
    }

    // An error is told of without being asked for (epoll_ctl(2)).
    private func add(_ watched: Int32, events: UInt32) -> Bool {
        var event = epoll_event(events: events, data: epoll_data(fd: watched))
        return epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
    }
}
