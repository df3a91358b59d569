/// A rollback that the daemon has made.
public struct RollbackReading: Sendable, Equatable, Codable {
    public var from: String
    public var to: String
    /// Seconds since 1970.
    public var time: Double
    public var reason: String
}
