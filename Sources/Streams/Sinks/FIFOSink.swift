import CFiles
import Diagnostics
import Glibc

/// A named pipe as a sink: created if it is missing, and open while it has a reader.
///
/// The sink waits for a reader by retrying, at most four times a second and only while there is something to deliver:
/// the kernel sends no event when a reader waits for a writer. Bytes that a reader leaves unread in the pipe are lost.
/// Records of at most 4096 bytes are never torn; a longer one that is interrupted is written to the next reader from
/// its start.
public final class FIFOSink: FlowSink {
    private let delivery: FlowDelivery<FIFOLine>
    /// Marked unsafe only because of its type: it is set once, and used once, by `deinit`.
    private let watch: WorkerThread

    /// Creates the FIFO if there is nothing at `path`.
    ///
    /// Errors: `cannotCreate`, also if something else is at `path`; `tryAgain`.
    public init(
        name: String, path: String, permissions: UInt32 = 0o660, whenFull: WhenFull = .block,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        let waker = try Wake()
        let desertion = try HangUpWatch(waker: waker)
        let line = FIFOLine(path: path, permissions: permissions, desertion: desertion)
        try line.make()
        let delivery = FlowDelivery(name: name, line: line, whenFull: whenFull, waker: waker, report: report)
        watch = try WorkerThread(name: "fifo \(name)") {
            while desertion.wait() { delivery.withLine { $0.closeIfDeserted() } }
        }
        self.delivery = delivery
    }

    deinit {
        delivery.interrupt()
        watch.join()
    }

    public var name: String { delivery.name }

    public func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome { delivery.deliver(bytes) }

    public func interrupt() { delivery.interrupt() }
}

struct FIFOLine: FlowLine {
    let path: String
    let permissions: UInt32
    private let desertion: HangUpWatch
    private(set) var descriptor: Int32 = -1

    init(path: String, permissions: UInt32, desertion: HangUpWatch) {
        self.path = path
        self.permissions = permissions
        self.desertion = desertion
    }

    /// PIPE_BUF: written atomically (pipe(7)).
    var pieceBytes: Int { 4096 }
    var pauses: (first: Int32, longest: Int32) { (1, 250) }
    var reopeningIsExpensive: Bool { false }

    func make() throws(UnderstudyError) {
        if mkfifo(path, permissions) == 0 {
            // Sets the permissions regardless of the umask.
            chmod(path, permissions)
        } else if errno != EEXIST {
            throw UnderstudyError(
                .cannotCreate, "the FIFO can't be created: \(String(cString: strerror(errno)))", at: path)
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw UnderstudyError(
                .cannotCreate, "the FIFO can't be examined: \(String(cString: strerror(errno)))", at: path)
        }
        guard Self.isFIFO(status) else {
            throw UnderstudyError(
                .cannotCreate, "this isn't a FIFO; move it away or set another path", at: path)
        }
    }

    mutating func open() -> FlowLineState {
        var opened = Glibc.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        if opened < 0, errno == ENOENT {
            do { try make() } catch { return .absent(error) }
            opened = Glibc.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        guard opened >= 0 else {
            let reason = errno == ENXIO ? "the FIFO has no reader" : String(cString: strerror(errno))
            return .absent(UnderstudyError(.tryAgain, reason, at: path))
        }
        var status = stat()
        guard fstat(opened, &status) == 0, Self.isFIFO(status) else {
            Glibc.close(opened)
            return .absent(UnderstudyError(.tryAgain, "the FIFO has been replaced by another file", at: path))
        }
        guard desertion.add(opened) else {
            let reason = String(cString: strerror(errno))
            Glibc.close(opened)
            return .absent(UnderstudyError(.tryAgain, reason, at: path))
        }
        descriptor = opened
        return .open
    }

    /// Closes the FIFO when its last reader has closed it. This discards what that reader left in the pipe; otherwise
    /// the next reader would begin with it, in the middle of a record.
    mutating func closeIfDeserted() {
        var request = pollfd(fd: descriptor, events: 0, revents: 0)
        if poll(&request, 1, 0) > 0, request.revents & Int16(POLLERR) != 0 { close() }
    }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) -> FlowWrite {
        .attempt { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }

    mutating func close() {
        guard descriptor >= 0 else { return }
        desertion.remove(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
    }

    private static func isFIFO(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFIFO }
}

/// Waits with epoll(7) until the other side closes a descriptor. poll(2) would hold the descriptor's file while it
/// sleeps, and a FIFO that is held keeps its content when it is closed, so that the next reader would begin there.
final class HangUpWatch: Sendable {
    private let descriptor: Int32
    private let waker: Wake

    /// Raising `waker` ends the wait.
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

    /// Returns false with `errno` if no more can be added.
    func add(_ watched: Int32) -> Bool { add(watched, events: 0) }

    /// Must be called before `watched` is closed; afterwards only its owner holds it.
    func remove(_ watched: Int32) { epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil) }

    /// Sleeps until the other side of an added descriptor is closed; false when the waker was raised.
    func wait() -> Bool {
        var event = epoll_event()
        while epoll_wait(descriptor, &event, 1, -1) < 0, errno == EINTR {}
        return !waker.isRaised
    }

    // Errors are always reported, without being requested (epoll_ctl(2)).
    private func add(_ watched: Int32, events: UInt32) -> Bool {
        var event = epoll_event(events: events, data: epoll_data(fd: watched))
        return epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
    }
}
