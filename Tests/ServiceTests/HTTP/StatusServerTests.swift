import Diagnostics
import Foundation
import Glibc
import Service
import Streams
import Synchronization
import TestSupport
import Testing

@Suite(.offPool) struct StatusServerTests {
    private static let anyPort = StatusAddress.port(host: "127.0.0.1", 0)

    private static func routes(
        _ status: ServiceStatus = StatusSamples.ready(), health: String? = nil
    ) -> StatusRoutes {
        StatusRoutes(status: { status }, metrics: { "a 1\n" }, health: { health })
    }

    /// Runs a server while `body` talks to it.
    private func serving<Result>(
        _ routes: StatusRoutes = routes(), at address: StatusAddress = anyPort, limits: ServerLimits = .patient,
        clock: DaemonClock = .system, _ body: (StatusAddress) throws -> Result
    ) throws -> Result {
        let server = try StatusServer(address: address, routes: routes, limits: limits, clock: clock)
        try server.start()
        defer { server.stop() }
        return try body(server.address)
    }

    private func get(_ path: String, _ address: StatusAddress) throws -> String {
        try #require(StatusTestClient.ask(address, "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    @Test func everyPathIsAnswered() throws {
        try serving { address in
            let page = try get("/", address)
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(page.contains("Content-Type: text/html; charset=utf-8\r\n") && page.contains("All is well"))
            let metrics = try get("/metrics?x=1", address)
            #expect(metrics.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(metrics.hasSuffix("\r\n\r\na 1\n"))
            #expect(try get("/status", address).contains("\"phase\" : \"ready\""))
            #expect(try get("/healthz", address).hasSuffix("\r\n\r\nok\n"))
            #expect(try get("/readyz", address).hasPrefix("HTTP/1.1 200 OK\r\n"))
            for path in ["/x", "/status/", "//", "/../etc/passwd", "/%2e%2e/"] {
                #expect(try get(path, address).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
            }
        }
    }

    @Test func everyAnswerCarriesItsHeaders() throws {
        try serving { address in
            for path in ["/", "/status", "/nothing"] {
                let answer = try get(path, address)
                for header in [
                    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline';",
                    "X-Content-Type-Options: nosniff\r\n", "Cache-Control: no-store\r\n", "Connection: close\r\n",
                ] {
                    #expect(answer.contains(header))
                }
                let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
                #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)\r\n"))
            }
        }
    }

    @Test func healthAndReadinessTellTheirReason() throws {
        try serving(Self.routes(health: "the pipeline has been stuck for 90 s")) { address in
            let answer = try get("/healthz", address)
            #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(answer.hasSuffix("the pipeline has been stuck for 90 s\n"))
        }
        for (phase, code) in [
            (ServicePhase.starting, 503), (.ready, 200), (.reloading, 200), (.draining, 503), (.failed, 503),
        ] {
            var status = StatusSamples.ready()
            status.phase = phase
            let answer = try serving(Self.routes(status)) { try get("/readyz", $0) }
            #expect(answer.hasPrefix("HTTP/1.1 \(code) "))
        }
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405), ("OPTIONS / HTTP/1.1\r\n\r\n", 405),
        ("DELETE /status HTTP/1.0\r\n\r\n", 405), ("GET / HTTP/1.1\n\n", 200), ("GET / HTTP/2.0\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400), ("get / HTTP/1.1\r\n\r\n", 400), ("\r\n\r\n", 400),
        ("GET http://x/ HTTP/1.1\r\n\r\n", 400), ("GET /\u{7F} HTTP/1.1\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{0}\u{0}\n\n", 400),
        ("GET / HTTP/1.1\r\nno field\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n continued\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: local\u{0}host\r\n\r\n", 400), ("GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 9000), 431),
        (String(repeating: "x", count: 9000), 431),
    ])
    func oddRequestsGetTheirAnswer(request: String, code: Int) throws {
        let answer = try serving { StatusTestClient.ask($0, request) }
        #expect(answer?.hasPrefix("HTTP/1.1 \(code) ") == true)
        if code == 405 { #expect(answer?.contains("Allow: GET, HEAD\r\n") == true) }
    }

    @Test func theAnswerOutlivesABodyThatIsNotRead() throws {
        let body = String(repeating: "x", count: 300_000)
        let answer = try serving {
            StatusTestClient.ask($0, "POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + body)
        }
        #expect(answer?.hasSuffix("only GET and HEAD are supported\n") == true)
    }

    @Test(arguments: [
        "localhost", "LocalHost", "localhost.", "localhost:9464", "127.0.0.1", "127.0.0.1:80", "127.9.9.9:",
        "127.0.0.1.", "[::1]", "[::1]:9464", "[0:0:0:0:0:0:0:1]", " \tlocalhost\t ", "",
    ])
    func namesOfThisMachineAreAnswered(host: String) throws {
        let answer = try serving { StatusTestClient.ask($0, "GET /status HTTP/1.1\r\nHOST:\(host)\r\n\r\n") }
        #expect(answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
    }

    /// A page from elsewhere whose name was made to lead to this machine must not read the answers.
    @Test(
        arguments: [
            "evil.example.com", "evil.example.com:9464", "localhost.evil.example.com", "localhost..", "xlocalhost",
            "127.0.0.1.evil.example.com", "128.0.0.1", "127.1", "2130706433", "0.0.0.0", "[::2]", "[::1", "[::1]x",
            "[::ffff:127.0.0.1]", "::1", "localhost:80:80", "localhost:abc", "localhost:123456", ":9464", ".",
            "user@localhost", "localhost localhost", "本地",
        ], ["/", "/status", "/metrics", "/healthz", "/readyz", "/nothing"])
    func otherNamesAreRefused(host: String, path: String) throws {
        let answer = try serving { StatusTestClient.ask($0, "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n") }
        #expect(answer?.hasPrefix("HTTP/1.1 421 Misdirected Request\r\n") == true)
        #expect(answer?.contains("localhost, 127.0.0.1 or [::1]") == true)
    }

    @Test func aRequestWithoutHostIsAnsweredAndOneWithTwoIsRefused() throws {
        try serving { address in
            for version in ["1.0", "1.1"] {
                let answer = StatusTestClient.ask(address, "GET /healthz HTTP/\(version)\r\nX: y\r\n\r\n")
                #expect(answer?.hasSuffix("\r\n\r\nok\n") == true)
            }
            for second in ["localhost", "evil.example.com"] {
                let head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nhost: \(second)\r\n\r\n"
                #expect(StatusTestClient.ask(address, head)?.hasPrefix("HTTP/1.1 400 ") == true)
            }
        }
    }

    @Test func headIsAnsweredAsGetWithoutTheBody() throws {
        try serving { address in
            for path in ["/", "/status", "/metrics", "/healthz", "/readyz", "/nothing"] {
                let whole = try get(path, address)
                let head = StatusTestClient.ask(address, "HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let end = try #require(whole.firstRange(of: "\r\n\r\n")).upperBound
                #expect(head == String(whole[..<end]) && end < whole.endIndex)
            }
            let refused = StatusTestClient.ask(address, "HEAD / HTTP/1.1\r\nHost: evil.example.com\r\n\r\n")
            #expect(refused?.hasPrefix("HTTP/1.1 421 ") == true && refused?.hasSuffix("\r\n\r\n") == true)
        }
    }

    @Test func aRequestMayComeByteForByte() throws {
        let answer = try serving { address in
            let client = try #require(StatusTestClient(address))
            for byte in "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8 { client.send([byte]) }
            return client.receive()
        }
        #expect(answer?.hasSuffix("ok\n") == true)
    }

    @Test func silentClientsKeepNoOtherOut() throws {
        var limits = ServerLimits.patient
        limits.connections = 8
        limits.graceSeconds = 0.01
        let answer = try serving(limits: limits) { address in
            // Sixteen times the places there are, none of which says a word or goes away.
            var silent: [StatusTestClient] = []
            for _ in 0..<128 { silent.append(try #require(StatusTestClient(address))) }
            defer { withExtendedLifetime(silent) {} }
            return StatusTestClient.ask(address, "GET /healthz HTTP/1.1\r\n\r\n")
        }
        #expect(answer?.hasSuffix("ok\n") == true)
    }

    /// A clock that stands until it is set forward; the server looks at it when a client comes.
    private final class ScriptedClock: Sendable {
        private let seconds = Mutex(0.0)
        func advance(by step: Double) { seconds.withLock { $0 += step } }
        var clock: DaemonClock { DaemonClock(wall: { 0 }, monotonic: { self.seconds.withLock { $0 } }) }
    }

    @Test func aClientThatSaysNothingIsCutOff() throws {
        let time = ScriptedClock()
        var limits = ServerLimits()
        limits.stepSeconds = 5
        let answer = try serving(limits: limits, clock: time.clock) { address in
            let silent = try #require(StatusTestClient(address))
            silent.send("GET / HT".utf8)
            // Clients are accepted in their order.
            _ = try get("/healthz", address)
            time.advance(by: 5.1)
            _ = try get("/healthz", address)
            return silent.receive()
        }
        #expect(answer == "")
    }

    /// What the status is made from: it is there once `release` has been called.
    private final class SlowStatus: Sendable {
        private let state = Monitor((asked: 0, isReleased: false))

        var routes: StatusRoutes {
            StatusRoutes(
                status: {
                    self.wait()
                    return StatusSamples.ready()
                },
                metrics: {
                    self.wait()
                    return "a 1\n"
                }, health: { nil })
        }

        var isAsked: Bool { state.withLock { $0.asked > 0 } }

        func release() {
            state.withLock { $0.isReleased = true }
            state.broadcast(0)
        }

        private func wait() {
            state.withLock { $0.asked += 1 }
            state.wait(on: 0) { $0.isReleased ? () : nil }
        }
    }

    /// The status may have to wait for the disk; `/healthz` doesn't.
    @Test(arguments: ["/", "/status", "/metrics", "/readyz"])
    func aSlowAnswerDelaysNoHealthCheck(path: String) throws {
        let slow = SlowStatus()
        let answer = try serving(slow.routes) { address in
            let waiting = try #require(StatusTestClient(address))
            waiting.send("GET \(path) HTTP/1.1\r\n\r\n".utf8)
            #expect(eventually { slow.isAsked })
            for _ in 0..<3 { #expect(try get("/healthz", address).hasSuffix("ok\n")) }
            slow.release()
            return waiting.receive()
        }
        #expect(answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
    }

    @Test func anAnswerThatNeverComesBecomesAnError() throws {
        let time = ScriptedClock()
        let slow = SlowStatus()
        var limits = ServerLimits()
        limits.stepSeconds = 5
        let answer = try serving(slow.routes, limits: limits, clock: time.clock) { address in
            let waiting = try #require(StatusTestClient(address))
            waiting.send("GET /status HTTP/1.1\r\n\r\n".utf8)
            #expect(eventually { slow.isAsked })
            time.advance(by: 5.1)
            #expect(try get("/healthz", address).hasSuffix("ok\n"))
            defer { slow.release() }
            return waiting.receive()
        }
        #expect(answer?.hasPrefix("HTTP/1.1 503 ") == true)
        #expect(answer?.hasSuffix("the daemon didn't respond in time\n") == true)
    }

    @Test func aTakenPortIsNamed() throws {
        try serving { address in
            let error = #expect(throws: UnderstudyError.self) {
                try StatusServer(address: address, routes: Self.routes())
            }
            #expect(error?.code == .cannotCreate)
            #expect(error?.message.contains("\(address)") == true)
        }
    }

    @Test func stopsBeforeAndWithoutStarting() throws {
        let server = try StatusServer(address: Self.anyPort, routes: Self.routes())
        server.stop()
        try server.start()
        server.stop()
        #expect(StatusTestClient.ask(server.address, "GET / HTTP/1.1\r\n\r\n") == nil)
        let unused = try StatusServer(address: Self.anyPort, routes: Self.routes())
        #expect(unused.address != Self.anyPort)
    }

    @Test func everyCallOfStopWaitsForTheEnd() throws {
        let server = try StatusServer(address: Self.anyPort, routes: Self.routes(), limits: .patient)
        try server.start()
        #expect(try get("/healthz", server.address).hasSuffix("ok\n"))
        let answers = Mutex([String?]())
        let threads = try (0..<4).map { _ in
            try WorkerThread(name: "stops") {
                server.stop()
                let answer = StatusTestClient.ask(server.address, "GET / HTTP/1.1\r\n\r\n")
                answers.withLock { $0.append(answer) }
            }
        }
        for thread in threads { thread.join() }
        #expect(answers.withLock { $0 } == [nil, nil, nil, nil])
    }
}
