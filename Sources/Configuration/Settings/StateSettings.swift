/// Where the daemon remembers how far it came.
public struct StateSettings: Sendable, Equatable {
    public var directory: String
    /// Answers become durable, and lines count as done, at this interval.
    public var commitIntervalMilliseconds: Int
}
