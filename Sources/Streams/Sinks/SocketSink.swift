import CSystemd
import Diagnostics
import Glibc

/// A Unix stream socket as a sink: it connects to a listening socket when there is something to deliver, and reconnects
/// when the other side closes. A record that was interrupted is sent on the next connection from its start.
public final class SocketSink: FlowSink {
    private let delivery: FlowDelivery<SocketLine>

    /// Doesn't connect yet.
    ///
    /// Errors: `configuration` for a path that is too long for a socket, `tryAgain`.
    public init(
        name: String, path: String, whenFull: WhenFull = .block, report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        delivery = FlowDelivery(
            name: name, line: try SocketLine(path: path), whenFull: whenFull, waker: try Wake(), report: report)
    }

    public var name: String { delivery.name }

    public func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome { delivery.deliver(bytes) }

    public func interrupt() { delivery.interrupt() }
}

struct SocketLine: FlowLine {
    private let path: String
    private let address: sockaddr_un
    private(set) var descriptor: Int32 = -1

    /// Errors: `configuration`.
    init(path: String) throws(UnderstudyError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let longest = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard !path.isEmpty, path.utf8.count <= longest, !path.utf8.contains(0) else {
            throw UnderstudyError(
                .configuration, "the path of a socket must have 1 to \(longest) bytes; set a shorter path", at: path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        self.path = path
        self.address = address
    }

    /// Small enough to notice an interruption between two writes, large enough that the cost per write doesn't matter.
    var pieceBytes: Int { 64 << 10 }
    var pauses: (first: Int32, longest: Int32) { (50, 5000) }
    var reopeningIsExpensive: Bool { true }

    mutating func open() -> FlowLineState {
        let opened = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard opened >= 0 else { return absent(errno) }
        var status: Int32
        repeat {
            status = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(opened, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        } while status != 0 && errno == EINTR
        guard status == 0 else {
            let number = errno
            Glibc.close(opened)
            return absent(number)
        }
        descriptor = opened
        return .open
    }

    private func absent(_ number: Int32) -> FlowLineState {
        let reason =
            switch number {
            case ENOENT, ECONNREFUSED: "no process listens on the socket"
            case EAGAIN: "the socket's listener accepts no more connections"
            default: String(cString: strerror(number))
            }
        return .absent(UnderstudyError(.tryAgain, reason, at: path))
    }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) -> FlowWrite {
        .attempt { send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) }
    }

    mutating func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}
