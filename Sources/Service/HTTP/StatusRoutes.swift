import Diagnostics

/// The resources of the status server and their data.
public struct StatusRoutes: Sendable {
    public var status: @Sendable () -> ServiceStatus
    /// The text of `PrometheusText`.
    public var metrics: @Sendable () -> String
    /// Why the process doesn't work; nil while it does. Called on the thread that serves all clients, so it must not
    /// wait for the disk or for a lock that is held during disk access.
    public var health: @Sendable () -> String?

    public init(
        status: @escaping @Sendable () -> ServiceStatus, metrics: @escaping @Sendable () -> String,
        health: @escaping @Sendable () -> String?
    ) {
        self.status = status
        self.metrics = metrics
        self.health = health
    }

    /// Returns a response that needs no waiting: refusals and `/healthz`. Nil: call `slowResponse`.
    func quickResponse(to request: RequestHead) -> StatusResponse? {
        guard request.isForThisMachine else {
            return StatusResponse(
                .misdirected, "the host must be localhost, 127.0.0.1 or [::1]")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return StatusResponse(.methodNotAllowed, "only GET and HEAD are supported")
        }
        switch request.path {
        case "/healthz":
            guard let reason = health() else { return StatusResponse(.ok, "ok") }
            return StatusResponse(.unavailable, reason)
        case "/", "/status", "/metrics", "/readyz": return nil
        default: return StatusResponse(.notFound, "not found; the paths are /, /status, /metrics, /healthz and /readyz")
        }
    }

    /// Returns the response for all other paths. It may block, because the status reads the state database.
    func slowResponse(to request: RequestHead) -> StatusResponse {
        switch request.path {
        case "/metrics": return StatusResponse(.ok, PrometheusText.contentType, metrics().utf8)
        case "/readyz":
            let status = status()
            switch status.phase {
            // Lines are answered during a reload.
            case .ready, .reloading: return StatusResponse(.ok, "ready")
            case .starting, .draining, .failed:
                let reason = status.message.isEmpty ? status.phase.rawValue : status.message
                return StatusResponse(.unavailable, reason)
            }
        case "/status":
            do throws(UnderstudyError) {
                return StatusResponse(.ok, "application/json", try status().json())
            } catch {
                return StatusResponse(.internalError, error.description)
            }
        default: return StatusResponse(.ok, "text/html; charset=utf-8", StatusPage.render(status()).utf8)
        }
    }
}

/// A response of the status server.
struct StatusResponse: Sendable {
    enum Code: Int, Sendable {
        case ok = 200
        case badRequest = 400
        case notFound = 404
        case methodNotAllowed = 405
        case misdirected = 421
        case headTooLarge = 431
        case internalError = 500
        case unavailable = 503

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .misdirected: "Misdirected Request"
            case .headTooLarge: "Request Header Fields Too Large"
            case .internalError: "Internal Server Error"
            case .unavailable: "Service Unavailable"
            }
        }
    }

    static let plainText = "text/plain; charset=utf-8"

    /// The page loads no resources and runs no scripts.
    static let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    var code: Code
    var contentType: String
    var body: [UInt8]

    init(_ code: Code, _ contentType: String = plainText, _ body: some Sequence<UInt8>) {
        self.code = code
        self.contentType = contentType
        self.body = Array(body)
    }

    /// A sentence with a line end.
    init(_ code: Code, _ text: String) {
        self.init(code, Self.plainText, (text + "\n").utf8)
    }

    /// Returns head and body. The response to HEAD has the same head and no body (RFC 9110, section 9.3.2). Each
    /// connection serves one request: clients connect every few seconds at most.
    func bytes(withBody: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(code.rawValue) \(code.phrase)\r\nContent-Type: \(contentType)\r\n"
        head += "Content-Length: \(body.count)\r\nConnection: close\r\nCache-Control: no-store\r\n"
        head += "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        head += "Content-Security-Policy: \(Self.policy)\r\n"
        if code == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        return Array((head + "\r\n").utf8) + (withBody ? body : [])
    }
}
