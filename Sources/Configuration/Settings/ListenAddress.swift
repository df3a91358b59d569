/// Where HTTP is served. Never a network: only this machine can reach it.
public enum ListenAddress: Sendable, Equatable {
    /// `host` is an address of the loopback interface (127.0.0.0/8 or ::1, without brackets) or `localhost`.
    case loopback(host: String, port: UInt16)
    /// A Unix socket.
    case unix(path: String)
}

extension ListenAddress: CustomStringConvertible {
    /// As the file writes it: `127.0.0.1:9464`, `[::1]:9464` or `unix:/path`.
    public var description: String {
        switch self {
        case .loopback(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
