import Configuration
import Diagnostics
import Foundation
import Service

/// Where a daemon's status can be had.
enum StatusLocation {
    /// The address that the daemon with this configuration listens on.
    static func address(configuration path: String) throws(UnderstudyError) -> StatusAddress {
        let settings: Settings
        do {
            settings = try ConfigurationFile.load(path: path, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw error.summary
        }
        guard let address = settings.http else {
            throw UnderstudyError(
                .configuration,
                "the daemon doesn't offer its status: set http.listen, to 127.0.0.1:9464 or unix:/path", at: path)
        }
        return try StatusAddress(address.description)
    }
}
