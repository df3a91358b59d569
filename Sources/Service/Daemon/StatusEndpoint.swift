import Configuration
import Diagnostics

/// The daemon's HTTP side: a status server at the configured address that shows the daemon's state.
final class StatusEndpoint: Sendable {
    private let server: StatusServer

    init(address: ListenAddress, work: StatusSupply) throws(UnderstudyError) {
        server = try StatusServer(
            address: try StatusAddress(address.description),
            routes: StatusRoutes(
                status: { work.status }, metrics: { work.prometheus }, health: { work.health }))
        try server.start()
    }

    /// Returns when the server's threads have ended.
    func stop() { server.stop() }
}
