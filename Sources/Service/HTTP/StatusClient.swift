import Diagnostics
import Foundation
import Glibc

/// Requests the status of a running daemon over a blocking socket.
public enum StatusClient {
    /// Maximum size of a response, in bytes.
    static let longestAnswer = 64 << 20

    /// Returns the status of the daemon at `address`, within `seconds`.
    ///
    /// Throws `tryAgain` if no process answers there, `invalidData` if another program does.
    public static func status(
        at address: StatusAddress, seconds: Double = 5
    ) throws(UnderstudyError) -> ServiceStatus {
        do throws(UnderstudyError) {
            return try ServiceStatus(json: get("/status", at: address, seconds: seconds))
        } catch {
            throw error.placed(at: address.description)
        }
    }

    /// Returns the body of the response to GET `path`, which must have the status 200.
    static func get(_ path: String, at address: StatusAddress, seconds: Double) throws(UnderstudyError) -> Data {
        let deadline = DaemonClock.system.monotonic() + seconds
        let descriptor = address.makeSocket(nonBlocking: true)
        guard descriptor >= 0 else { throw failure(errno) }
        defer { close(descriptor) }
        try connect(descriptor, to: address, until: deadline)
        try send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", descriptor, deadline)
        return try body(of: receive(descriptor, deadline))
    }

    private static func connect(
        _ descriptor: Int32, to address: StatusAddress, until deadline: Double
    ) throws(UnderstudyError) {
        while address.withSocketAddress({ Glibc.connect(descriptor, $0, $1) }) != 0 {
            switch errno {
            case EISCONN: return
            case EINTR, EALREADY: break
            case EINPROGRESS: try wait(for: POLLOUT, descriptor, deadline)
            // Connecting to a Unix socket with a full queue can't be waited for.
            case EAGAIN:
                guard DaemonClock.system.monotonic() < deadline else { throw failure(ETIMEDOUT) }
                usleep(10_000)
            default: throw failure(errno)
            }
        }
    }

    private static func send(_ request: String, _ descriptor: Int32, _ deadline: Double) throws(UnderstudyError) {
        var rest = Array(request.utf8)
        while !rest.isEmpty {
            let sent = Glibc.send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
            if sent > 0 {
                rest.removeFirst(sent)
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, descriptor, deadline)
            } else if errno != EINTR {
                throw failure(errno)
            }
        }
    }

    private static func receive(_ descriptor: Int32, _ deadline: Double) throws(UnderstudyError) -> [UInt8] {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while answer.count <= longestAnswer {
            let length = recv(descriptor, &buffer, buffer.count, 0)
            if length == 0 { return answer }
            if length > 0 {
                answer += buffer[..<length]
            } else if errno == EAGAIN {
                try wait(for: POLLIN, descriptor, deadline)
            } else if errno != EINTR {
                throw failure(errno)
            }
        }
        throw UnderstudyError(.invalidData, "the response is longer than \(longestAnswer) bytes")
    }

    private static func wait(for events: Int32, _ descriptor: Int32, _ deadline: Double) throws(UnderstudyError) {
        let left = deadline - DaemonClock.system.monotonic()
        guard left > 0 else { throw failure(ETIMEDOUT) }
        var wait = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        poll(&wait, 1, Int32((left * 1000).rounded(.up)))
    }

    /// Source: RFC 9112, section 4. The server closes the connection after its response, so the body ends with the
    /// data; a body shorter than announced is refused.
    private static func body(of answer: [UInt8]) throws(UnderstudyError) -> Data {
        let separator = Array("\r\n\r\n".utf8)
        guard answer.starts(with: "HTTP/1.1 ".utf8), let end = answer.firstRange(of: separator) else {
            throw UnderstudyError(.invalidData, "the server at this address isn't understudy")
        }
        let lines = String(decoding: answer[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let code = lines[0].dropFirst("HTTP/1.1 ".count).prefix(3)
        let body = answer[end.upperBound...]
        guard code == "200" else {
            throw UnderstudyError(.tryAgain, "the daemon answered \(lines[0].dropFirst("HTTP/1.1 ".count))")
        }
        let promised = lines.first { $0.lowercased().hasPrefix("content-length:") }
        if let promised, Int(promised.dropFirst("content-length:".count).drop { $0 == " " }) != body.count {
            throw UnderstudyError(.tryAgain, "the daemon's response was truncated; try again")
        }
        return Data(body)
    }

    private static func failure(_ code: Int32) -> UnderstudyError {
        switch code {
        case ECONNREFUSED, ENOENT:
            UnderstudyError(.tryAgain, "no daemon listens here; is it running?")
        case EACCES, EPERM:
            UnderstudyError(
                .noPermission, "permission denied; run as the daemon's user or group, or as root")
        case ETIMEDOUT: UnderstudyError(.tryAgain, "the daemon didn't respond in time; see its log")
        default: UnderstudyError(.tryAgain, "the daemon can't be reached: \(String(cString: strerror(code)))")
        }
    }
}
