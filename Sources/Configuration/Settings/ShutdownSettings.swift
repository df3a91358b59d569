/// How the daemon stops.
public struct ShutdownSettings: Sendable, Equatable {
    /// How long lines that were read may take to be answered.
    public var drainSeconds: Int
}
