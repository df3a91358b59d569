// The socket constants are in its headers too, and the compiler may take them for its own.
import CSystemd
import Glibc

/// Whether the journal would take an entry now, found out by a socket of our own that nothing is sent through.
final class JournalSocket {
    /// systemd's native journal protocol; not configurable.
    static let standardPath = "/run/systemd/journal/socket"

    enum State {
        case writable
        /// Its queue is full.
        case full
        /// Nobody listens at the path.
        case missing
        case interrupted
    }

    private let path: String
    private var descriptor: Int32 = -1

    init(path: String) {
        self.path = path
    }

    deinit { disconnect() }

    /// Looks for whoever listens at the path now: it may have been started again since the last time.
    func connect() {
        disconnect()
        let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let fresh = Glibc.socket(AF_UNIX, Int32(kind), 0)
        guard fresh >= 0 else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isTooLong = withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path.utf8.prefix(room.count - 1))
            return path.utf8.count >= room.count
        }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(fresh, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, !isTooLong else {
            close(fresh)
            return
        }
        descriptor = fresh
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Waits until there is room, `wakeUp` is readable, or the time (nil: no end) is over.
    func wait(atMost time: Duration?, wakeUp: Int32) -> State {
        guard descriptor >= 0 else { return .missing }
        var requests = (
            pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        )
        Self.poll(&requests, time)
        if requests.0.revents != 0 { return .interrupted }
        if requests.1.revents & Int16(POLLERR | POLLHUP) != 0 { return .missing }
        return requests.1.revents != 0 ? .writable : .full
    }

    /// Sleeps; false if `wakeUp` became readable.
    static func sleep(_ time: Duration, wakeUp: Int32) -> Bool {
        var requests = (pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0), pollfd(fd: -1, events: 0, revents: 0))
        poll(&requests, time)
        return requests.0.revents == 0
    }

    private static func poll(_ requests: inout (pollfd, pollfd), _ time: Duration?) {
        let milliseconds = time.map { Int32(clamping: Int(($0 / .milliseconds(1)).rounded(.up))) } ?? -1
        withUnsafeMutableBytes(of: &requests) { bytes in
            // An interrupted call counts as one whose time is over: the callers look again.
            _ = Glibc.poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, milliseconds)
        }
    }
}
