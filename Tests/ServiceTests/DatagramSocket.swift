import Glibc
import TestSupport
import Testing

/// A datagram socket that listens at a path in a folder of its own, as a service manager's or a journal's does.
final class DatagramSocket {
    let path: String
    private let folder: TemporaryFolder
    private var descriptor: Int32 = -1

    /// `isListening`: whether anybody can send to it from the beginning.
    init(isListening: Bool = true) throws {
        folder = try TemporaryFolder()
        path = folder.file("socket")
        if isListening { try listen() }
    }

    func listen() throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(withAddress { bind(descriptor, $0, $1) } == 0)
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// The next message that has been sent already; nil if there is none.
    func next() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Sends empty messages to itself until its queue is full.
    func fill() throws {
        let other = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        defer { close(other) }
        try #require(withAddress { connect(other, $0, $1) } == 0)
        while send(other, "", 0, 0) == 0 {}
        try #require(errno == EAGAIN)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
