import Glibc

/// What the process's environment says.
public enum EnvironmentVariable {
    /// Nil where the variable isn't set, or is empty, which mostly means the same.
    public static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
