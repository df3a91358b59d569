import Glibc
import Service
import TestSupport

/// A client without manners: says what it is told to, byte for byte.
final class StatusTestClient {
    private let descriptor: Int32

    init?(_ address: StatusAddress) {
        switch address {
        case .port(_, let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = port.bigEndian
            place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            guard Self.connect(descriptor, &place) else { return nil }
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var place = sockaddr_un()
            place.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: path.utf8) }
            guard Self.connect(descriptor, &place) else { return nil }
        }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    private static func connect<Place>(_ descriptor: Int32, _ place: inout Place) -> Bool {
        withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Place>.size)) == 0
            }
        }
    }

    /// False once the server has had enough.
    @discardableResult
    func send(_ bytes: some Sequence<UInt8>) -> Bool {
        let bytes = Array(bytes)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// All until the server closes; nil if it never does.
    func receive() -> String? {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let length = recv(descriptor, &buffer, buffer.count, 0)
            if length > 0 { all += buffer[..<length]; continue }
            if length < 0, errno == EAGAIN { return nil }
            return String(decoding: all, as: UTF8.self)
        }
    }

    /// What the server answers to `request`; nil if it can't be reached, or never ends its answer.
    static func ask(_ address: StatusAddress, _ request: String) -> String? {
        guard let client = StatusTestClient(address) else { return nil }
        client.send(request.utf8)
        return client.receive()
    }
}

extension ServerLimits {
    /// Limits of time that no client reaches, however slow the machine is.
    static var patient: ServerLimits {
        var limits = ServerLimits()
        limits.stepSeconds = 2 * Double(patience)
        return limits
    }
}
