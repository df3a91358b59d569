import Diagnostics
import Glibc

/// Ends a wait in poll(2) from another thread: a pipe that never fills, since neither end waits.
struct WakeUp: Sendable {
    /// What to wait for input on.
    let descriptor: Int32
    private let sender: Int32

    init() throws(UnderstudyError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw UnderstudyError(
                .cannotCreate, "no pipe can be made: \(String(cString: strerror(errno))); see LimitNOFILE=")
        }
        for end in ends { Self.prepare(end) }
        descriptor = ends[0]
        sender = ends[1]
    }

    func signal() {
        var byte: UInt8 = 1
        write(sender, &byte, 1)
    }

    /// Takes back all signals so far.
    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }

    func close() {
        Glibc.close(descriptor)
        Glibc.close(sender)
    }

    /// Makes a descriptor return at once instead of waiting, and keeps it from programs started later.
    static func prepare(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
}
