import Configuration
import Diagnostics
import Foundation

/// Where the daemon of a configuration keeps its state.
enum StateLocation {
    /// Errors: `configuration`.
    static func directory(configuration path: String) throws(UnderstudyError) -> String {
        do {
            return try ConfigurationFile.load(path: path, environment: ProcessInfo.processInfo.environment)
                .state.directory
        } catch {
            throw error.summary
        }
    }
}
