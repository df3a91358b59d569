import CSystemd
import Diagnostics
import Glibc

/// Sends answers to the journal, one entry each. It takes the records of `JournalRecordEncoder`.
///
/// sd_journal_sendv(3) reports success without a journal, and blocks without limit while its queue is full. The sink
/// therefore checks the journal's socket before each entry, so that its waits can be interrupted.
///
/// `@unchecked Sendable`: the state of a delivery is accessed only by the caller that holds `turn`; the descriptors
/// never change.
public final class JournalSink: FlowSink, @unchecked Sendable {
    public let name: String

    private struct Turn: Sendable {
        var isTaken = false
        var isInterrupted = false
    }

    private let whenFull: WhenFull
    private let socket: JournalSocket
    private let send: @Sendable (UnsafePointer<iovec>, Int32) -> Int32
    private let turn = Monitor(Turn())
    /// Never cleared, so that after an interruption all further waits end at once.
    private let wakeUp: Wake
    private var fields: UnsafeMutableBufferPointer<iovec>
    /// Whether the last delivery was dropped.
    private var isBehind = false
    private let clock = ContinuousClock()

    /// A sink for the journal of this machine. With `drop`, entries that the journal doesn't take within a
    /// short time are dropped; otherwise it waits.
    ///
    /// - Throws: `cannotCreate` if the system has no more descriptors.
    public convenience init(name: String, whenFull: WhenFull) throws(UnderstudyError) {
        try self.init(
            name: name, whenFull: whenFull, socketPath: JournalSocket.standardPath,
            send: { sd_journal_sendv($0, $1) })
    }

    /// A sink that checks the socket at `socketPath` and passes each entry to `send`, which returns the values of
    /// sd_journal_sendv: 0, or a negative error number.
    package init(
        name: String, whenFull: WhenFull, socketPath: String,
        send: @escaping @Sendable (UnsafePointer<iovec>, Int32) -> Int32
    ) throws(UnderstudyError) {
        self.name = name
        self.whenFull = whenFull
        wakeUp = try Wake()
        self.send = send
        socket = JournalSocket(path: socketPath)
        // More than a record has; it grows on demand.
        fields = .allocate(capacity: 32)
    }

    deinit {
        fields.deallocate()
    }

    public func interrupt() {
        turn.withLock { $0.isInterrupted = true }
        turn.broadcast(0)
        wakeUp.signal()
    }

    public func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome {
        let isMine: Bool = turn.wait(on: 0) { turn in
            if turn.isInterrupted { return false }
            guard !turn.isTaken else { return nil }
            turn.isTaken = true
            return true
        }
        guard isMine else { return .interrupted }
        defer {
            turn.withLock { $0.isTaken = false }
            turn.signal(0)
        }
        socket.connect()
        var deadline = whenFull == .drop ? clock.now + (isBehind ? .zero : Self.patience) : nil
        var rest = UnsafeRawBufferPointer(bytes)
        while let count = split(&rest) {
            let outcome = deliverEntry(count, until: deadline)
            guard outcome == .delivered else {
                isBehind = outcome == .dropped
                return outcome
            }
            // The journal takes entries again, so the rest may wait for it.
            if isBehind, whenFull == .drop { deadline = clock.now + Self.patience }
            isBehind = false
        }
        return .delivered
    }

    /// Splits the first record off `rest` into its fields. Returns nil without a complete record.
    private func split(_ rest: inout UnsafeRawBufferPointer) -> Int? {
        var count = 0
        while let base = rest.baseAddress, let end = memchr(base, 0, rest.count) {
            let length = UnsafeRawPointer(end) - base
            rest = UnsafeRawBufferPointer(rebasing: rest[(length + 1)...])
            if length == 0 { return count }
            if count == fields.count { growFields() }
            fields[count] = iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: length)
            count += 1
        }
        return nil
    }

    private func growFields() {
        let larger = UnsafeMutableBufferPointer<iovec>.allocate(capacity: 2 * fields.count)
        _ = larger.initialize(fromContentsOf: fields)
        fields.deallocate()
        fields = larger
    }

    /// Without `deadline`, waits until the journal takes the entry.
    private func deliverEntry(_ count: Int, until deadline: ContinuousClock.Instant?) -> FlowOutcome {
        guard count > 0, let first = fields.baseAddress else { return .delivered }
        var backoff = Self.shortestBackoff
        while true {
            let time = deadline.map { max(.zero, clock.now.duration(to: $0)) }
            switch socket.wait(atMost: time, wakeUp: wakeUp.descriptor) {
            case .interrupted: return .interrupted
            case .writable where send(first, Int32(count)) >= 0: return .delivered
            case .writable, .full, .missing: break
            }
            if deadline != nil { return .dropped }
            guard JournalSocket.sleep(backoff, wakeUp: wakeUp.descriptor) else { return .interrupted }
            backoff = min(backoff * 2, Self.longestBackoff)
            socket.connect()
        }
    }

    /// A full queue (10 to 512 entries) is normal; one that stays full for this time is not.
    private static let patience = Duration.milliseconds(100)
    /// A restarting journal is back within about a second; a removed one may stay away.
    private static let shortestBackoff = Duration.milliseconds(10)
    private static let longestBackoff = Duration.seconds(2)
}

// systemd's headers define the socket constants as well, and the compiler may take those.

/// Finds out whether the journal would take an entry now, by a socket of its own that nothing is sent through.
package final class JournalSocket {
    /// The socket of systemd's native journal protocol; not configurable.
    package static let standardPath = "/run/systemd/journal/socket"

    enum State {
        case writable
        /// The queue is full.
        case full
        /// No process listens at the path.
        case missing
        case interrupted
    }

    private let path: String
    private var descriptor: Int32 = -1

    init(path: String) {
        self.path = path
    }

    deinit { disconnect() }

    /// Connects to the process that listens at the path now; the journal may have been restarted.
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

    /// Waits until there is room, `wakeUp` is readable, or the time is over (nil: no limit).
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

    /// Sleeps. Returns false if `wakeUp` became readable.
    static func sleep(_ time: Duration, wakeUp: Int32) -> Bool {
        var requests = (pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0), pollfd(fd: -1, events: 0, revents: 0))
        poll(&requests, time)
        return requests.0.revents == 0
    }

    private static func poll(_ requests: inout (pollfd, pollfd), _ time: Duration?) {
        let milliseconds = time.map { Int32(clamping: Int(($0 / .milliseconds(1)).rounded(.up))) } ?? -1
        withUnsafeMutableBytes(of: &requests) { bytes in
            // An interrupted call counts as a timeout; the callers check again.
            _ = Glibc.poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, milliseconds)
        }
    }
}
