import Diagnostics

/// Where a daemon's configuration says that its status is offered.
public enum StatusLocation {
    /// Reads `http.listen` from the configuration file at `path`.
    ///
    /// Throws `configuration` when the file can't be read or names no address.
    public static func address(configuration path: String) throws(UnderstudyError) -> StatusAddress {
        throw UnderstudyError(
            .configuration, "this build can't read the address from a configuration; give --listen ADDRESS", at: path)
    }
}
