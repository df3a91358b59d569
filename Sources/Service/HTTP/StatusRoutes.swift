import Diagnostics

/// What the status server offers, and where from.
public struct StatusRoutes: Sendable {
    public var status: @Sendable () async -> ServiceStatus
    /// The text of `PrometheusText`.
    public var metrics: @Sendable () async -> String
    /// Why the process doesn't do its work; nil while it does.
    public var health: @Sendable () async -> String?

    public init(
        status: @escaping @Sendable () async -> ServiceStatus, metrics: @escaping @Sendable () async -> String,
        health: @escaping @Sendable () async -> String?
    ) {
        self.status = status
        self.metrics = metrics
        self.health = health
    }

    func response(to request: RequestHead) async -> StatusResponse {
        guard request.method == "GET" else { return StatusResponse(.methodNotAllowed, "only GET is answered") }
        switch request.path {
        case "/":
            return StatusResponse(.ok, "text/html; charset=utf-8", StatusPage.render(await status()).utf8)
        case "/status":
            do throws(UnderstudyError) {
                return StatusResponse(.ok, "application/json", try await status().json())
            } catch {
                return StatusResponse(.internalError, error.description)
            }
        case "/metrics": return StatusResponse(.ok, PrometheusText.contentType, await metrics().utf8)
        case "/healthz":
            guard let reason = await health() else { return StatusResponse(.ok, "ok") }
            return StatusResponse(.unavailable, reason)
        case "/readyz":
            let status = await status()
            switch status.phase {
            // Lines are answered through a reload.
            case .ready, .reloading: return StatusResponse(.ok, "ready")
            case .starting, .draining, .failed:
                let reason = status.message.isEmpty ? status.phase.rawValue : status.message
                return StatusResponse(.unavailable, reason)
            }
        default: return StatusResponse(.notFound, "there is /, /status, /metrics, /healthz and /readyz")
        }
    }
}
