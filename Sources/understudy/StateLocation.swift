import Diagnostics

/// Where the daemon of a configuration keeps its state.
enum StateLocation {
    /// Errors: `configuration`.
    static func directory(configuration path: String) throws(UnderstudyError) -> String {
        throw UnderstudyError(
            .configuration, "this build can't read configurations; name the state directory with --state", at: path)
    }
}
