import Diagnostics
import Glibc

/// The address of the status server: a loopback port or a Unix socket.
public enum StatusAddress: Sendable, Equatable {
    /// `host` is a numeric loopback address; port 0 selects any free port.
    case port(host: String, UInt16)
    case unix(path: String)

    /// Parses `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464` or `unix:/path`.
    public init(_ text: String) throws(UnderstudyError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/"), path.utf8.count <= Self.longestPath, !path.utf8.contains(0) else {
                throw UnderstudyError(
                    .configuration, "a socket's path must begin with / and have at most \(Self.longestPath) bytes")
            }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw UnderstudyError(.configuration, "write the address as 127.0.0.1:9464 or unix:/path")
        }
        var host = String(text[..<colon])
        if host == "localhost" { host = "127.0.0.1" }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard Self.isLoopback(host, AF_INET) || Self.isLoopback(host, AF_INET6) else {
            throw UnderstudyError(
                .configuration, "the address must be local: use 127.0.0.1, [::1] or a unix: path as the address")
        }
        self = .port(host: host, port)
    }

    /// The size of `sun_path` in `sockaddr_un` without the terminating zero.
    static let longestPath = 107

    /// Returns whether `host` is a numeric loopback address in the family's usual form: 127.0.0.0/8 or ::1.
    static func isLoopback(_ host: String, _ family: Int32) -> Bool {
        guard family == AF_INET6 else {
            var address = in_addr()
            return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
        }
        var address = in6_addr()
        guard inet_pton(AF_INET6, host, &address) == 1 else { return false }
        return withUnsafeBytes(of: address) { $0.dropLast().allSatisfy { $0 == 0 } && $0[15] == 1 }
    }
}

extension StatusAddress: CustomStringConvertible {
    /// The form that `init` parses.
    public var description: String {
        switch self {
        case .port(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension StatusAddress {
    var family: Int32 {
        switch self {
        case .port(let host, _): host.contains(":") ? AF_INET6 : AF_INET
        case .unix: AF_UNIX
        }
    }

    /// Returns a new stream socket of this family that is closed on exec; -1 with errno on failure.
    func makeSocket(nonBlocking: Bool) -> Int32 {
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) | (nonBlocking ? O_NONBLOCK : 0)
        return socket(family, flags, 0)
    }

    /// Calls `body` with the address as a `sockaddr`.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { bytes in
                for (index, byte) in path.utf8.prefix(Self.longestPath).enumerated() { bytes[index] = byte }
            }
            return Self.call(&address, body)
        case .port(let host, let port) where host.contains(":"):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            return Self.call(&address, body)
        case .port(let host, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &address.sin_addr)
            return Self.call(&address, body)
        }
    }

    private static func call<Address, Result>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
