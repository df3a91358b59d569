import CFiles
import Diagnostics
import Glibc

/// What wakes a thread out of poll(2): an eventfd(2).
package final class Wake: Sendable {
    package let descriptor: Int32

    package init() throws(UnderstudyError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw UnderstudyError(.tryAgain, "can't make an eventfd: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable until `wait` has taken the signal away. From any thread.
    package func signal() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then the thread has been woken already.
        _ = write(descriptor, &one, 8)
    }

    /// Waits for a signal and takes it away; -1 milliseconds: for as long as it takes.
    package func wait(milliseconds: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, milliseconds) < 0, errno == EINTR {}
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// Takes back all signals so far.
    package func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
