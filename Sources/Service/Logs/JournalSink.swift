import CSystemd
import Diagnostics
import Glibc
import Streams

/// Sends answers to the journal, an entry each; takes the records that `JournalRecordEncoder` writes.
///
/// sd_journal_sendv(3) reports success where there is no journal, and waits without end while its queue is full. So
/// the journal's socket is looked at before each entry, and a wait here can be interrupted.
///
/// `@unchecked Sendable`: what one delivery uses is touched only by the caller that `turn` lets in; the descriptors
/// never change.
public final class JournalSink: FlowSink, @unchecked Sendable {
    public let name: String

    private struct Turn: Sendable {
        var isTaken = false
        var isInterrupted = false
    }

    private let dropsWhenFull: Bool
    private let socket: JournalSocket
    private let send: @Sendable (UnsafePointer<iovec>, Int32) -> Int32
    private let turn = Monitor(Turn())
    /// Never cleared, so that every wait after the interruption ends at once too.
    private let wakeUp: Wake
    private var fields: UnsafeMutableBufferPointer<iovec>
    /// Whether the last delivery was dropped.
    private var isBehind = false
    private let clock = ContinuousClock()

    /// A sink into this machine's journal. With `dropsWhenFull` what the journal hasn't taken of a delivery after a
    /// short while is dropped; otherwise it waits.
    ///
    /// - Throws: `cannotCreate` if the system has no more descriptors.
    public convenience init(name: String, dropsWhenFull: Bool) throws(UnderstudyError) {
        try self.init(
            name: name, dropsWhenFull: dropsWhenFull, socketPath: JournalSocket.standardPath,
            send: { sd_journal_sendv($0, $1) })
    }

    /// A sink that looks at the socket at `socketPath` and gives each entry to `send`, which answers as
    /// sd_journal_sendv does: 0, or a negative error number.
    package init(
        name: String, dropsWhenFull: Bool, socketPath: String,
        send: @escaping @Sendable (UnsafePointer<iovec>, Int32) -> Int32
    ) throws(UnderstudyError) {
        self.name = name
        self.dropsWhenFull = dropsWhenFull
        wakeUp = try Wake()
        self.send = send
        socket = JournalSocket(path: socketPath)
        // More than a record has; grows if that changes.
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
        var deadline = dropsWhenFull ? clock.now + (isBehind ? .zero : Self.patience) : nil
        var rest = UnsafeRawBufferPointer(bytes)
        while let count = split(&rest) {
            let outcome = deliverEntry(count, until: deadline)
            guard outcome == .delivered else {
                isBehind = outcome == .dropped
                return outcome
            }
            // It's taking entries again: the rest may wait for it.
            if isBehind, dropsWhenFull { deadline = clock.now + Self.patience }
            isBehind = false
        }
        return .delivered
    }

    /// Takes the first record's fields from `rest`; nil if there is no whole record.
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

    /// Without `deadline` it waits until the journal takes the entry.
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

    /// A full queue (10 to 512 entries) is no sign of trouble; one that isn't emptied for so long is.
    private static let patience = Duration.milliseconds(100)
    /// A journal that restarts is back within a second or so; one that was taken away may stay away.
    private static let shortestBackoff = Duration.milliseconds(10)
    private static let longestBackoff = Duration.seconds(2)
}
