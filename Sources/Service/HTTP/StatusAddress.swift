import Diagnostics
import Glibc

/// Where the status is offered: a port of this machine that only it can reach, or a Unix socket.
public enum StatusAddress: Sendable, Equatable {
    /// `host` is a numeric loopback address; port 0 takes any that is free.
    case port(host: String, UInt16)
    case unix(path: String)

    /// Reads `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464` or `unix:/path`.
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
                .configuration, "only this machine may ask: use 127.0.0.1, [::1] or a unix: path as the address")
        }
        self = .port(host: host, port)
    }

    /// What `sockaddr_un` holds, less the 0 at its end.
    static let longestPath = 107

    /// Whether `host` is a numeric address of this machine, in the family's usual form: 127.0.0.0/8 or ::1.
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
    /// The form that `init` reads.
    public var description: String {
        switch self {
        case .port(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
