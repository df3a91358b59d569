import Configuration
import Diagnostics

/// Where the daemon of a configuration keeps its state; the file may be wrong elsewhere, which is said.
enum StateLocation {
    /// Errors: `configuration`, `noPermission`.
    static func directory(configuration path: String) throws(UnderstudyError) -> String {
        let glance = try ConfigurationGlance.read(path)
        let directory = try glance.stateDirectory()
        glance.warn()
        return directory
    }

    /// The registry of students. As root, the process first becomes the state directory's owner.
    ///
    /// Errors: `configuration`, `noPermission`, `inputOutput`.
    static func registry(configuration path: String) throws(UnderstudyError) -> String {
        let glance = try ConfigurationGlance.read(path)
        let directory = try glance.registryDirectory()
        glance.warn()
        try StateOwner.become(of: try glance.stateDirectory(), reading: [path])
        return directory
    }
}
