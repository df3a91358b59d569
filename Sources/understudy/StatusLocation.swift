import Configuration
import Diagnostics
import Foundation
import Service

/// Where a daemon's status can be had.
enum StatusLocation {
    /// The address that the daemon with this configuration listens on; the file may be wrong elsewhere, which is said.
    static func address(configuration path: String) throws(UnderstudyError) -> StatusAddress {
        let glance = try ConfigurationGlance.read(path)
        guard let address = try glance.httpAddress() else {
            if let errors = glance.errors { throw errors.summary }
            throw UnderstudyError(
                .configuration,
                "the daemon doesn't offer its status: set http.listen, to 127.0.0.1:9464 or unix:/path", at: path)
        }
        glance.warn()
        return try StatusAddress(address.description)
    }
}

extension ConfigurationGlance {
    /// Errors: `configuration` or `noPermission` for a file that can't be read at all.
    static func read(_ path: String) throws(UnderstudyError) -> ConfigurationGlance {
        do {
            return try ConfigurationGlance(path: path, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw error.summary
        }
    }

    /// Says on standard error that the file is wrong elsewhere, if it is.
    func warn() {
        if let warning { ClassifyDescriptors.report("warning: \(warning)") }
    }
}
