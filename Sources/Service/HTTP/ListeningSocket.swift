import Diagnostics
import Glibc

/// A socket that clients connect to. Closed, and its path removed, by `close()`.
struct ListeningSocket: Sendable {
    /// With the port that was taken.
    let address: StatusAddress
    let descriptor: Int32
    /// Identify the path's socket as ours: somebody may have put another in its place.
    private let device: dev_t
    private let inode: ino_t

    init(_ address: StatusAddress) throws(UnderstudyError) {
        if case .unix(let path) = address { try Self.removeStale(path, address) }
        let descriptor = address.makeSocket(nonBlocking: true)
        guard descriptor >= 0 else { throw Self.failure(address, errno) }
        do throws(UnderstudyError) {
            try Self.bind(descriptor, address)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        var status = stat()
        switch address {
        case .unix(let path):
            self.address = address
            if lstat(path, &status) != 0 { status = stat() }
        case .port(let host, _):
            self.address = .port(host: host, Self.port(descriptor))
        }
        device = status.st_dev
        inode = status.st_ino
    }

    func close() {
        if case .unix(let path) = address {
            var status = stat()
            if lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode { unlink(path) }
        }
        Glibc.close(descriptor)
    }

    private static func bind(_ descriptor: Int32, _ address: StatusAddress) throws(UnderstudyError) {
        if case .port = address {
            // A restart may take the port again at once, though old connections linger.
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard address.withSocketAddress({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
            throw failure(address, errno)
        }
        // Nobody can connect before listen(2), so the permissions hold from the first client on.
        if case .unix(let path) = address, chmod(path, 0o660) != 0 { throw failure(address, errno) }
        guard listen(descriptor, SOMAXCONN) == 0 else { throw failure(address, errno) }
    }

    /// Removes what a process that was killed left behind: a socket that nobody answers at.
    private static func removeStale(_ path: String, _ address: StatusAddress) throws(UnderstudyError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw UnderstudyError(
                .cannotCreate, "the status can't be offered here: there is a file that is no socket; remove it",
                at: path)
        }
        let probe = address.makeSocket(nonBlocking: true)
        guard probe >= 0 else { throw failure(address, errno) }
        defer { Glibc.close(probe) }
        let answered = address.withSocketAddress { connect(probe, $0, $1) }
        // Only a refusal says that nobody listens; a full queue (EAGAIN) has a listener.
        guard answered != 0, errno == ECONNREFUSED else { throw failure(address, EADDRINUSE) }
        unlink(path)
    }

    private static func port(_ descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return 0 }
        // The port stands at the same place for both families.
        return withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
    }

    private static func failure(_ address: StatusAddress, _ code: Int32) -> UnderstudyError {
        let reason: String
        switch code {
        case EADDRINUSE: reason = "another process listens there; stop it, or choose another address under http.listen"
        case EACCES, EPERM: reason = "no permission; choose another address under http.listen"
        case ENOENT: reason = "the folder doesn't exist; make it, or choose another address under http.listen"
        default: reason = String(cString: strerror(code))
        }
        return UnderstudyError(.cannotCreate, "the status can't be offered at \(address): \(reason)")
    }
}
