import Diagnostics
import Glibc

/// Standard output as a daemon's sink. The sink ends when the reader closes it.
///
/// The descriptor's flags stay as inherited, since other programs may share it; so the room is checked before each
/// write that could block.
public final class StandardOutputSink: FlowSink {
    private let delivery: FlowDelivery<StandardOutputLine>

    /// Errors: `tryAgain`, if too many files are open.
    public init(
        name: String, whenFull: WhenFull = .block, descriptor: Int32 = STDOUT_FILENO,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        delivery = FlowDelivery(
            name: name, line: StandardOutputLine(output: descriptor), whenFull: whenFull, waker: try Wake(),
            report: report)
    }

    public var name: String { delivery.name }

    public func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome { delivery.deliver(bytes) }

    public func interrupt() { delivery.interrupt() }
}

struct StandardOutputLine: FlowLine {
    private let output: Int32
    private let isFile: Bool
    private(set) var descriptor: Int32

    init(output: Int32) {
        self.output = output
        descriptor = output
        var status = stat()
        isFile = fstat(output, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// A pipe that has room at all takes PIPE_BUF bytes without blocking, and atomically (pipe(7)).
    var pieceBytes: Int { isFile ? 1 << 20 : 4096 }
    var pauses: (first: Int32, longest: Int32) { (50, 1000) }
    var reopeningIsExpensive: Bool { false }

    /// It can't be reopened once it has been closed.
    func open() -> FlowLineState { .over }

    mutating func close() { descriptor = -1 }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) -> FlowWrite {
        if !isFile {
            var request = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
            guard poll(&request, 1, 0) > 0 else { return .full }
        }
        while true {
            let written = Glibc.write(output, bytes.baseAddress, bytes.count)
            if written > 0 { return .written(written) }
            let number = written == 0 ? ENOSPC : errno
            switch number {
            case EINTR: continue
            case EAGAIN: return .full
            case ENOSPC, EDQUOT, EFBIG:
                return .failed(
                    UnderstudyError(.noSpace, "standard output: \(String(cString: strerror(number)))"))
            default: return .gone
            }
        }
    }
}
