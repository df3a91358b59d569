import Diagnostics
import Glibc

/// A named pipe as a sink: made if it is missing, and open while somebody reads it.
///
/// Waiting for a reader is done by trying again, at most four times a second and only while there is something to
/// deliver: the kernel tells nobody of a reader that waits for a writer. What a reader leaves unread in the pipe is
/// lost. Records of at most 4096 bytes are never torn, longer ones are given to the next reader from their start.
public final class FIFOSink: FlowSink {
    private let delivery: FlowDelivery<FIFOLine>
    /// Unsafe for its type only: it is set once, and used once, by `deinit`.
    private let watch: WorkerThread

    /// Makes the FIFO if there is nothing at `path`.
    ///
    /// Errors: `cannotCreate`, also when something else is there; `tryAgain`.
    public init(
        name: String, path: String, permissions: UInt32 = 0o660, whenFull: WhenFull = .block,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        let waker = try Wake()
        let desertion = try DesertionWatch(waker: waker)
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
    private let desertion: DesertionWatch
    private(set) var descriptor: Int32 = -1

    init(path: String, permissions: UInt32, desertion: DesertionWatch) {
        self.path = path
        self.permissions = permissions
        self.desertion = desertion
    }

    /// PIPE_BUF: written as a whole or not at all (pipe(7)).
    var pieceBytes: Int { 4096 }
    var pauses: (first: Int32, longest: Int32) { (1, 250) }
    var triesAreDear: Bool { false }

    func make() throws(UnderstudyError) {
        if mkfifo(path, permissions) == 0 {
            // The umask must not decide who may read the answers.
            chmod(path, permissions)
        } else if errno != EEXIST {
            throw UnderstudyError(
                .cannotCreate, "the FIFO can't be made: \(String(cString: strerror(errno)))", at: path)
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw UnderstudyError(
                .cannotCreate, "the FIFO can't be looked at: \(String(cString: strerror(errno)))", at: path)
        }
        guard Self.isFIFO(status) else {
            throw UnderstudyError(
                .cannotCreate, "there is something else than a FIFO here; move it away or name another path", at: path)
        }
    }

    mutating func open() -> FlowLineState {
        var opened = Glibc.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        if opened < 0, errno == ENOENT {
            do { try make() } catch { return .absent(error) }
            opened = Glibc.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        }
        guard opened >= 0 else {
            let reason = errno == ENXIO ? "nobody reads the FIFO" : String(cString: strerror(errno))
            return .absent(UnderstudyError(.tryAgain, reason, at: path))
        }
        var status = stat()
        guard fstat(opened, &status) == 0, Self.isFIFO(status) else {
            Glibc.close(opened)
            return .absent(UnderstudyError(.tryAgain, "the FIFO has been replaced by something else", at: path))
        }
        guard desertion.add(opened) else {
            let reason = String(cString: strerror(errno))
            Glibc.close(opened)
            return .absent(UnderstudyError(.tryAgain, reason, at: path))
        }
        descriptor = opened
        return .open
    }

    /// Closes it when the last reader has gone: what that one left in the pipe goes too, or the next one would begin
    /// with it, in the middle of a record.
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
