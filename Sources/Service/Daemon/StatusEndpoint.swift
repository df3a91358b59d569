import Configuration
import Diagnostics

/// The daemon's HTTP side: the status server and the task that it runs in.
final class StatusEndpoint: Sendable {
    private let server: StatusServer

    init(address: ListenAddress, work: StatusSupply) throws(UnderstudyError) {
        let server = try StatusServer(
            address: try StatusAddress(address.description),
            routes: StatusRoutes(
                status: { work.status }, metrics: { work.prometheus }, health: { work.health }))
        self.server = server
        Task { await server.run() }
    }

    func stop() { server.stop() }
}
