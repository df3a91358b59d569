/// How a candidate's time as a shadow ended.
public struct ShadowOutcome: Sendable, Equatable, Codable {
    public var version: String
    public var isPromoted: Bool
    /// Seconds since 1970.
    public var time: Double
    public var reason: String
}
