import Diagnostics

/// What the status server offers, and where it comes from.
public struct StatusRoutes: Sendable {
    public var status: @Sendable () -> ServiceStatus
    /// The text of `PrometheusText`.
    public var metrics: @Sendable () -> String
    /// Why the process doesn't do its work; nil while it does. Called by the thread that serves all clients, so it must
    /// wait neither for the disk nor for a lock that is held while something does.
    public var health: @Sendable () -> String?

    public init(
        status: @escaping @Sendable () -> ServiceStatus, metrics: @escaping @Sendable () -> String,
        health: @escaping @Sendable () -> String?
    ) {
        self.status = status
        self.metrics = metrics
        self.health = health
    }

    /// The answer where it can be given at once: refusals and `/healthz`. Nil: ask `slowResponse`.
    func quickResponse(to request: RequestHead) -> StatusResponse? {
        guard request.isForThisMachine else {
            return StatusResponse(
                .misdirected, "this server answers to localhost, 127.0.0.1 and [::1] only; use one of them as the host")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            return StatusResponse(.methodNotAllowed, "only GET and HEAD are answered")
        }
        switch request.path {
        case "/healthz":
            guard let reason = health() else { return StatusResponse(.ok, "ok") }
            return StatusResponse(.unavailable, reason)
        case "/", "/status", "/metrics", "/readyz": return nil
        default: return StatusResponse(.notFound, "there is /, /status, /metrics, /healthz and /readyz")
        }
    }

    /// The answer for the paths that `quickResponse` leaves out. May wait: the status asks the state database.
    func slowResponse(to request: RequestHead) -> StatusResponse {
        switch request.path {
        case "/metrics": return StatusResponse(.ok, PrometheusText.contentType, metrics().utf8)
        case "/readyz":
            let status = status()
            switch status.phase {
            // Lines are answered through a reload.
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
