import Diagnostics
import Foundation
import Glibc
import Service
import Testing

@Suite struct StatusServerTests {
    private static let anyPort = StatusAddress.port(host: "127.0.0.1", 0)

    private static func routes(
        _ status: ServiceStatus = StatusSamples.ready(), health: String? = nil
    ) -> StatusRoutes {
        StatusRoutes(status: { status }, metrics: { "a 1\n" }, health: { health })
    }

    /// Runs a server while `body` talks to it.
    private func serving<Result>(
        _ routes: StatusRoutes = routes(), at address: StatusAddress = anyPort, limits: ServerLimits = ServerLimits(),
        _ body: (StatusAddress) async throws -> Result
    ) async throws -> Result {
        let server = try StatusServer(address: address, routes: routes, limits: limits)
        async let ended: Void = server.run()
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(server.address)) } catch { result = .failure(error) }
        server.stop()
        await ended
        return try result.get()
    }

    private func get(_ path: String, _ address: StatusAddress) async throws -> String {
        try #require(await StatusTestClient.ask(address, "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    @Test func everyPathIsAnswered() async throws {
        try await serving { address in
            let page = try await get("/", address)
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(page.contains("Content-Type: text/html; charset=utf-8\r\n") && page.contains("All is well"))
            let metrics = try await get("/metrics?x=1", address)
            #expect(metrics.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(metrics.hasSuffix("\r\n\r\na 1\n"))
            #expect(try await get("/status", address).contains("\"phase\" : \"ready\""))
            #expect(try await get("/healthz", address).hasSuffix("\r\n\r\nok\n"))
            #expect(try await get("/readyz", address).hasPrefix("HTTP/1.1 200 OK\r\n"))
            for path in ["/x", "/status/", "//", "/../etc/passwd", "/%2e%2e/"] {
                #expect(try await get(path, address).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
            }
        }
    }

    @Test func everyAnswerCarriesItsHeaders() async throws {
        try await serving { address in
            for path in ["/", "/status", "/nothing"] {
                let answer = try await get(path, address)
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

    @Test func healthAndReadinessTellTheirReason() async throws {
        try await serving(Self.routes(health: "the pipeline has been stuck for 90 s")) { address in
            let answer = try await get("/healthz", address)
            #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(answer.hasSuffix("the pipeline has been stuck for 90 s\n"))
        }
        for (phase, code) in [
            (ServicePhase.starting, 503), (.ready, 200), (.reloading, 200), (.draining, 503), (.failed, 503),
        ] {
            var status = StatusSamples.ready()
            status.phase = phase
            let answer = try await serving(Self.routes(status)) { try await get("/readyz", $0) }
            #expect(answer.hasPrefix("HTTP/1.1 \(code) "))
        }
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405), ("HEAD / HTTP/1.1\r\n\r\n", 405),
        ("DELETE /status HTTP/1.0\r\n\r\n", 405), ("GET / HTTP/1.1\n\n", 200), ("GET / HTTP/2.0\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400), ("get / HTTP/1.1\r\n\r\n", 400), ("\r\n\r\n", 400),
        ("GET http://x/ HTTP/1.1\r\n\r\n", 400), ("GET /\u{7F} HTTP/1.1\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{0}\u{0}\n\n", 400),
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 9000), 431),
        (String(repeating: "x", count: 9000), 431),
    ])
    func oddRequestsGetTheirAnswer(request: String, code: Int) async throws {
        let answer = try await serving { await StatusTestClient.ask($0, request) }
        #expect(answer?.hasPrefix("HTTP/1.1 \(code) ") == true)
        if code == 405 { #expect(answer?.contains("Allow: GET\r\n") == true) }
    }

    @Test func theAnswerOutlivesABodyThatNobodyWanted() async throws {
        let body = String(repeating: "x", count: 300_000)
        let answer = try await serving {
            await StatusTestClient.ask($0, "POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + body)
        }
        #expect(answer?.hasSuffix("only GET is answered\n") == true)
    }

    @Test func aRequestMayComeByteForByte() async throws {
        let answer = try await serving { address in
            await StatusTestClient.onThread { () -> String? in
                guard let client = StatusTestClient(address) else { return nil }
                for byte in "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8 { client.send([byte]) }
                return client.receive()
            }
        }
        #expect(answer?.hasSuffix("ok\n") == true)
    }

    @Test func silentClientsKeepNobodyOut() async throws {
        var limits = ServerLimits()
        limits.connections = 8
        limits.graceSeconds = 0.01
        let answer = try await serving(limits: limits) { address in
            await StatusTestClient.onThread { () -> String? in
                // Sixteen times the places there are, none of which says a word or goes away.
                func surround(_ count: Int) -> String? {
                    guard let silent = StatusTestClient(address) else { return nil }
                    let answer: String?
                    if count > 0 {
                        answer = surround(count - 1)
                    } else {
                        guard let client = StatusTestClient(address) else { return nil }
                        client.send("GET /healthz HTTP/1.1\r\n\r\n".utf8)
                        answer = client.receive()
                    }
                    silent.send([])
                    return answer
                }
                return surround(127)
            }
        }
        #expect(answer?.hasSuffix("ok\n") == true)
    }

    @Test func aClientThatSaysNothingIsLetGo() async throws {
        var limits = ServerLimits()
        limits.stepSeconds = 0.05
        let answer = try await serving(limits: limits) { await StatusTestClient.ask($0, "GET / HT") }
        #expect(answer == "")
    }

    @Test func anAnswerThatNeverComesBecomesAnError() async throws {
        var limits = ServerLimits()
        limits.stepSeconds = 0.05
        let (reader, writer) = AsyncStream<Void>.makeStream()
        let routes = StatusRoutes(
            status: { StatusSamples.ready() }, metrics: { "" },
            health: {
                for await _ in reader {}
                return nil
            })
        let answer = try await serving(routes, limits: limits) { try await get("/healthz", $0) }
        writer.finish()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.hasSuffix("the daemon gave no answer in time\n"))
    }

    @Test func aTakenPortIsNamed() async throws {
        try await serving { address in
            let error = #expect(throws: UnderstudyError.self) {
                try StatusServer(address: address, routes: Self.routes())
            }
            #expect(error?.code == .cannotCreate)
            #expect(error?.message.contains("\(address)") == true)
        }
    }

    @Test func stopsBeforeAndWithoutRunning() async throws {
        let server = try StatusServer(address: Self.anyPort, routes: Self.routes())
        server.stop()
        await server.run()
        let unused = try StatusServer(address: Self.anyPort, routes: Self.routes())
        #expect(unused.address != Self.anyPort)
    }

    @Test func aCancelledTaskStopsTheServer() async throws {
        let server = try StatusServer(address: Self.anyPort, routes: Self.routes())
        let task = Task { await server.run() }
        #expect(try await get("/healthz", server.address).hasSuffix("ok\n"))
        task.cancel()
        await task.value
        let address = server.address
        #expect(await StatusTestClient.ask(address, "GET / HTTP/1.1\r\n\r\n") == nil)
    }
}
