import Diagnostics
import Foundation
import Glibc
import Service
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct StatusClientTests {
    private func ask(
        _ address: StatusAddress, seconds: Double = Double(patience)
    ) -> Result<ServiceStatus, UnderstudyError> {
        do throws(UnderstudyError) {
            return .success(try StatusClient.status(at: address, seconds: seconds))
        } catch {
            return .failure(error)
        }
    }

    /// A listener that answers one client with `answer`, whatever it asks; says nothing if that is nil.
    private func answering(_ answer: String?) throws -> Result<ServiceStatus, UnderstudyError> {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = getsockname(listener, $0, &length)
            }
        }
        listen(listener, 1)
        defer { close(listener) }
        let port = UInt16(bigEndian: place.sin_port)
        let address = StatusAddress.port(host: "127.0.0.1", port)
        guard let answer else { return ask(address, seconds: 0.05) }
        let server = try WorkerThread(name: "answers") {
            let client = accept(listener, nil, nil)
            var request = [UInt8](repeating: 0, count: 4096)
            _ = recv(client, &request, request.count, 0)
            let bytes = Array(answer.utf8)
            _ = send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(client)
        }
        defer { server.join() }
        return ask(address)
    }

    @Test func readsWhatTheServerSays() throws {
        let routes = StatusRoutes(
            status: { StatusSamples.hostile("体育\u{0}\"<") }, metrics: { "" }, health: { nil })
        let server = try StatusServer(address: .port(host: "127.0.0.1", 0), routes: routes, limits: .patient)
        try server.start()
        #expect(ask(server.address) == .success(StatusSamples.hostile("体育\u{0}\"<")))
        server.stop()
    }

    @Test func saysThatNobodyListens() throws {
        let server = try StatusServer(
            address: .port(host: "127.0.0.1", 0),
            routes: StatusRoutes(status: { StatusSamples.ready() }, metrics: { "" }, health: { nil }))
        let address = server.address
        server.stop()
        for place in [address, .unix(path: "/nowhere/http.sock")] {
            guard case .failure(let error) = ask(place) else {
                Issue.record("somebody answered")
                continue
            }
            #expect(error.code == .tryAgain)
            #expect(error.description == "\(place): no daemon listens here; is it running?")
        }
    }

    @Test(arguments: [
        ("SSH-2.0-x\r\n", UnderstudyError.Code.invalidData), ("", .invalidData),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", .invalidData),
        ("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{}", .tryAgain),
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", .tryAgain),
        ("HTTP/1.1 200 OK\r\n\r\n\u{0}\u{1}", .invalidData),
    ])
    func refusesWhatIsNoStatus(answer: String, code: UnderstudyError.Code) throws {
        guard case .failure(let error) = try answering(answer) else {
            Issue.record("taken for a status")
            return
        }
        #expect(error.code == code)
    }

    @Test func doesNotWaitForever() throws {
        guard case .failure(let error) = try answering(nil) else {
            Issue.record("taken for a status")
            return
        }
        #expect(error.code == .tryAgain)
        #expect(error.message.contains("in time"))
    }
}
